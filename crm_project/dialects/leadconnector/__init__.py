"""LeadConnector, also called GoHighLevel and Leadway: opportunities, contacts, pipelines.

| LeadConnector | here |
| --- | --- |
| `Version` header | asked for; every version that the vendor's own clients send means the same |
| `id` of an opportunity | the deal's reference under `leadconnector`, else its uuid; an upsert keeps an unknown one |
| `locationId` | the organization; any other is out of the token's reach (403) |
| `name`, `status` | the same; `status: all` in a write says nothing |
| `monetaryValue` | `amount`, in the deal's own currency |
| `pipelineId`, `pipelineStageId` | `pipeline`, `stage`; no stage named: the pipeline's first |
| `assignedTo` | `owner` |
| `contactId`, `contact` | `contact`; the client where there is no contact |
| `followers` | `followers`, users: cleared first (`isRemoveAllFollowers`), then added or removed |
| `followers` that are contacts | `contact`, where there is no `contactId` |
| `lostReasonId` | `lost_reason` if lost or abandoned; otherwise ignored, and named as ignored |
| `source` | `origin` |
| `customFields` | `custom_fields`, named by id or key |
| `forecastExpectedCloseDate`, `forecastProbability` | `expected_close_date`, the deal's own `probability` |
| `lastStatusChangeAt`, `lastStageChangeAt` | when the present status began, `stage_entered_at` |
| `indexVersion` | `version` |
| `notes`, `tasks`, `calendarEvents`, `aggregations` | empty: nothing of the kind is stored |
| a stage's `position`, `stageWinProbability` | the same, `probability`; a new stage is of kind open |
| a contact's `firstName`, `lastName`, `name` | `first_name`, `last_name`; a `name` alone is split at its first space |
| a contact's `companyName` | `company`, found by its name or created |
| a contact's `address1`, `postalCode`, `source` | `street`, `postal_code`, `origin` |
| a contact's `tags`, `type`, `state`, `timezone`, `gender` | custom fields of the same names, declared or not |
| a contact's `dateOfBirth` | the custom field `date_of_birth`, declared or not |
| a contact's `dnd`, `dndSettings`, `inboundDndSettings` | `dnd`, `dnd_settings`, `inbound_dnd_settings`: the same |
| `/locations/{id}/tags` | the options of the contacts' field `tags` where it is declared, else the tags in use |
| a custom field's `name`, `dataType`, `options` | `label`, `type`, `options`; its key is made of the name |
| `companyId` of a location | the organization's own id; sent, it is ignored |
| cannot be said | currency, gross, tax, bids, client beside a contact, participants, privacy, dates, numbers, links |

A kept word is checked where somebody declared its field: `tags` as a multiselect takes its options and no others.
What cannot be said is left alone by every write. Defects that are not copied: deleting a pipeline does not delete its
opportunities (it is refused while there are any), and removing a stage closes or reopens none.
"""
