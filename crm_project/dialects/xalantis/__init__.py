"""Xalantis: `POST /api/deals` of its first generation, and `/api/v1`.

| Xalantis | Here |
| --- | --- |
| `uuid` | the external reference for `xalantis`, else the UUID |
| `name`, `currency`, `expected_close_date`, `status` | the same |
| null, an empty string | no value, for every field: a required one refuses it, a currency, status or stage stays |
| a name or external id of white space alone | as an empty string |
| `amount` | `amount`; a JSON number within 1e-12 of an amount is that amount, a string is exact |
| `pipeline_id`, `stage_id` (numbers) | `pipeline`, `stage`; default: the default pipeline, its first stage |
| `pipeline_uuid`, `stage_uuid` (v1) | the same rows by UUID; these win over the numbers |
| `probability` | written: the deal's own, ignored and reported if closed; read: the effective one |
| `contact_email` | finds the contact or creates it; an existing contact is not changed |
| `contact_first_name`, `contact_last_name`, `contact_phone` | fields of a contact that is created |
| `contact` | `contact`; the client where the deal has no contact |
| `custom_fields` (v1) | `custom_fields`; an undeclared key is stored for a contact and refused elsewhere |
| contact `address`, `notes`, `source` | `street`, `description`, `origin`; the last two are read-only |
| contact `client`, `client_id` | `company`; the id is the client's `id` or its `uuid` |
| client `client_type` `company`, `individual` | a company; a person without a company |
| client `company`, `name`, `legal_name` | the one name of a company; two different ones are refused |
| client `country_code`, `country.name` | `country` |
| representative | a person of the company; `title` is `job_title` |
| `status`, `linkedin_url`, `vat_number`, `can_sign` and similar | read: empty; a value is refused |
| not supported | gross, bids, owner, followers, participants, privacy, lost reason: a write keeps them |
"""
