"""LeadConnector, also called GoHighLevel and Leadway: opportunities, contacts with notes and tasks, pipelines.

| LeadConnector | Here |
| --- | --- |
| `Version` header | required; all versions that the vendor's own clients send are equivalent |
| opportunity `id` | the external reference for `leadconnector`, else the UUID; an upsert with an unknown one creates |
| upsert without `id` | the open deal of `contactId` in the pipeline, else the latest deal closed in the status sent |
| `locationId` | the organization; any other is refused with 403 |
| null, an empty string | the field is absent, for every field; as the value of a custom field: none |
| a name or external id of white space alone | as an empty string |
| `name`, `status` | the same; `status: all` in a write is ignored and named |
| `status` against the kind of the stage | the deal leaves that stage for one of the status |
| `monetaryValue` | `amount`, in the deal's own currency; a number within 1e-12 of an amount is that amount |
| `pipelineId`, `pipelineStageId` | `pipeline`, `stage`; without a stage: the pipeline's first |
| `assignedTo` | `owner` |
| `contactId`, `contact` | `contact`; read: the client where the deal has no contact |
| `followers` | `followers`, users: cleared first (`isRemoveAllFollowers`), then added or removed |
| `followers` that are contacts | `contact`, if there is no `contactId` |
| `lostReasonId` | `lost_reason` if lost or abandoned; else ignored and reported |
| `source` | `origin` |
| `customFields` | `custom_fields`, by id or key |
| `forecastExpectedCloseDate` | `expected_close_date` |
| `forecastProbability` | the deal's own `probability`; ignored and reported if closed |
| `lastStatusChangeAt`, `lastStageChangeAt` | the beginning of the current status, `stage_entered_at` |
| `indexVersion` | `version` |
| `notes`, `tasks` of an opportunity in a search | its activities, if asked for |
| `calendarEvents`, `aggregations` | always empty |
| notes of a contact | its activities of type note, and calls, meetings and e-mails that were logged, not planned |
| note `title`, `body`, `userId`, `pinned` | `subject`, `text`, `owner`, `is_pinned`; `color` is ignored and reported |
| tasks of a contact | its other activities, of type task if they are created here |
| task `title`, `body`, `assignedTo` | `subject`, else the first line of the text, else the type; `text`, `owner` |
| task `dueDate` | `due_at`; a day without a time is `due_on`, read as the end of that day |
| task `completed` | whether there is a `done_at`; done again keeps the first time |
| stage `position`, `stageWinProbability` | `position`, `probability`; a new stage is of the kind open |
| contact `firstName`, `lastName`, `name` | `first_name`, `last_name`; a `name` alone is split at its first space |
| upsert of a contact | by `email`, else by `phone`, unless that person has another e-mail; of several, by name |
| search for `phone` | `phone` and `mobile`, in any spelling |
| contact `companyName` | `company`, found by its name or created |
| contact `address1`, `postalCode`, `source` | `street`, `postal_code`, `origin` |
| contact `tags`, `type`, `state`, `timezone`, `gender` | custom fields of the same keys, declared or not |
| contact `dateOfBirth` | the custom field `date_of_birth`, declared or not |
| contact `dnd`, `dndSettings`, `inboundDndSettings` | custom fields `dnd`, `dnd_settings`, `inbound_dnd_settings` |
| `/locations/{id}/tags` | the options of the contacts' custom field `tags` if it is declared, else the tags in use |
| custom field `name`, `dataType`, `options` | `label`, `type`, `options`; the key is derived from the name |
| location `companyId` | the organization's own id; ignored in requests |
| not supported | currency, gross, tax, bids, client beside a contact, participants, privacy, description |
| also not supported | dates, numbers, links; the deal and the result of an activity |

A write keeps what is not supported. Fields that are stored as custom fields are validated by the definition where one
is declared: a `tags` multiselect accepts its options only.

Deliberate differences: a pipeline with opportunities cannot be deleted, where the vendor's server deletes them too;
removing a stage neither closes nor reopens opportunities.
"""
