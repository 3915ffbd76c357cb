"""LeadConnector's endpoints, by what they speak of."""
