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
| `custom_fields` (v1) | `custom_fields`; a key that nobody declared is refused |
| cannot be said | gross, bids, owner, followers, participants, privacy, lost reason: a write leaves them alone |
"""
