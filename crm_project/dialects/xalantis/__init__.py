"""Xalantis: `POST /api/deals` of its first generation, and `/api/v1`.

| Xalantis | here |
| --- | --- |
| `uuid` | the deal's reference under `xalantis`, else its uuid |
| `name`, `currency`, `expected_close_date`, `status` | the same |
| `amount` | `amount`, a JSON number |
| `pipeline_id`, `stage_id` (numbers) | `pipeline`, `stage`; none named: the default pipeline, its first stage |
| `pipeline_uuid`, `stage_uuid` (v1) | the same rows by their uuid; these win over the numbers |
| `probability` | as written: the deal's own; as read: the one in force |
| `contact_email` | finds the contact or creates it; one that is found stays as it is |
| `contact_first_name`, `contact_last_name`, `contact_phone` | of a contact that must be created |
| `contact.full_name` | `contact.full_name` |
| `custom_fields` (v1) | `custom_fields`; a key that nobody declared is kept of a contact, and refused elsewhere |
| contact `address`, `notes`, `source` | `street`, `description`, `origin`; the last two are only shown |
| contact `client`, `client_id` | `company`; the id is the number that the client shows, or its uuid |
| client `client_type` `company`, `individual` | a company; a person who belongs to no company |
| client `company`, `name`, `legal_name` | the one name of a company; two different ones are refused |
| client `country_code`, `country.name` | `country` |
| representative `title` | a person of the company, `job_title` |
| `status`, `linkedin_url`, `vat_number`, `can_sign` and the like | shown empty; refused with a value |
| cannot be said | gross, bids, owner, followers, participants, privacy, lost reason: a write leaves them alone |
"""
