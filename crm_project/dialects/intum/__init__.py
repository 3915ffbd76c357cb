"""Intum CRM: `/crm/deals.json` and its neighbours.

| Intum | here |
| --- | --- |
| `id` of everything | the row's reference under `intum`, else our number |
| `name`, `description`, `currency`, `date`, `date_from`, `date_to` | the same |
| `number`, `invoice_no`, `url`, `origin` | the same |
| `total_amount_net`, `total_amount_gross` | `amount`, `amount_gross`; a deal without a gross shows its net there |
| `tax` | `tax_rate` |
| `closed`: `win`, `lost`, blank | `status` won, lost, open; abandoned shows as `lost` |
| a blank `closed` | nothing on create or beside `status_id`; alone it reopens the deal |
| `external_id` | the reference under the token's `app_code`, `default` if it has none |
| `client_id`, `contact_id` | `client`, `contact` |
| `status_id` | `stage`; the default pipeline's stages, then the others' as "Pipeline: Stage" |
| `responsible_id` | `owner` |
| `department_id`, `project_id`, `task_id` | the same |
| `next_deal_id` | `next_deal` |
| `fields` | `custom_fields`, merged by key; keys that nobody declared are kept as they are |
| main date | `date`, else the day of creation |
| contact `position`, `mobile_phone`, `post_code`, `www` | `job_title`, `mobile`, `postal_code`, `website` |
| contact `kind` | `buyer`: there are no suppliers here |
| a contact's `note`, `status_id`, `department_id`, `category_id` | refused, unless they say nothing |
| status `closed` | whether the stage's kind is won or lost; written as `win`, `lost` or `false` |
| a client's or contact's `tags` | its custom field `tags`, declared or not |
| a client's or contact's additional fields | its declared custom fields, beside all others and in `fields` |
| a client without a name | is called as its address or number |
| `app_code` and `external_id` beside a client | the reference that an upsert looks for |
| status `category` | `done` if closed, `in_progress` if open; no other |
| status `priority`, `active`, `use_in_deals` | the stage's position; always on, but in an inactive pipeline |
| status `all_modules`, `use_in_clients` and its like, `team_ids` | off: a stage is used in deals alone |
| an empty text | nothing, as null; shown as null |
| a number where a text belongs, digits where a number does | the text, the number: as Rails reads them |
| cannot be said | bids, probability, followers, participants, privacy, lost reasons: a write leaves them alone |
"""
