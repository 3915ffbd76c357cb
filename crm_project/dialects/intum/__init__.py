"""Intum CRM: deals, contacts, clients, notes and statuses at `/crm/….json`.

| Intum | Here |
| --- | --- |
| `id` | the row's external reference for `intum`, else our primary key |
| `name`, `description`, `currency`, `date`, `date_from`, `date_to` | the same |
| `number`, `invoice_no`, `url`, `origin` | the same |
| `total_amount_net`, `total_amount_gross` | `amount`, `amount_gross`; read: the net amount where there is no gross |
| `tax` | `tax_rate` |
| `closed`: `win`, `lost`, blank | `status` won, lost, open; abandoned is read as `lost` |
| a blank `closed` | no effect on create or beside `status_id`; alone it reopens the deal |
| `external_id` | the external reference for the token's `app_code`, or for `default` if it has none |
| `client_id`, `contact_id` | `client`, `contact` |
| `status_id` | `stage`; stages outside the default pipeline are named "Pipeline: Stage" |
| `responsible_id` | `owner` |
| `department_id`, `project_id`, `task_id` | the same |
| `next_deal_id` | `next_deal` |
| `fields` | `custom_fields`, merged by key; undeclared keys are stored as sent |
| main date | `date`, else the day of creation |
| contact `position`, `mobile_phone`, `post_code`, `www` | `job_title`, `mobile`, `postal_code`, `website` |
| contact `kind` | `buyer`: there are no suppliers |
| contact `note`, `status_id`, `department_id`, `category_id` | a value is refused |
| status `closed` | whether the stage's kind is won or lost; written as `win`, `lost` or `false` |
| `tags` of a client or contact | its custom field `tags`, declared or not |
| additional fields of a client or contact | its declared custom fields, beside its other fields and in `fields` |
| a client without a name | gets its e-mail address or phone number as its name |
| `app_code` and `external_id` beside a client | the external reference by which an upsert finds the client |
| status `category` | `done` if closed, `in_progress` if open; any other value is refused |
| status `priority` | the stage's position |
| status `active` | read: whether the pipeline is active; written: only true |
| status `use_in_deals` | always true |
| status `all_modules`, `use_in_clients`, `use_in_contacts`, `use_in_tasks`, `use_in_emails`, `team_ids` | only false |
| notes | activities of type note, and calls, meetings and e-mails that were logged, not planned |
| note `name`, `content` | `subject`, `text` |
| note `kind` | the type: `phone`, `email`, `meeting`, blank for a note; any other is a note, and reported |
| note `note_at` | `done_at`, now if it is blank; an instant in the future is refused |
| note `noteable_type`, `noteable_id` | `deal`, else `contact`: a company is a client; both filter the list |
| null, an empty string | no value, for every field: a required one refuses it; status, currency, `note_at` stay |
| a name or external id of white space alone | as an empty string |
| a JSON number of an amount | the amount that is within 1e-12 of it, if it has more decimals; strings are exact |
| net amount alone in a change | the gross amount stays; a net amount above it is refused |
| `closed` against the kind of the status | the deal leaves that status for one of `closed` |
| a number for a string, digits for a number | converted, as Rails does |
| not supported | bids, probability, followers, participants, privacy, lost reasons, `expected_close_date`: kept |
"""
