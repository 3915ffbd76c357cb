"""LeadConnector's field names and formats, a module for each resource."""
