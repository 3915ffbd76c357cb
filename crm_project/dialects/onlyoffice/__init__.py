"""ONLYOFFICE CRM: `/api/2.0/crm/…`, its authentication and its people; every route also with `.json`.

Parameters come in the query, as a form or as JSON, in any case; an id of 0 and an empty uuid name nothing.

| ONLYOFFICE | here |
| --- | --- |
| `id` of opportunities, contacts, stages, user fields | the row's reference under `onlyoffice`, else our number |
| `id` of people | the member's reference, else its uuid |
| `title` | `name`; a deal without one shows its number, client or contact |
| `description`, `created`, `createBy` | `description`, `created_at`, `created_by` |
| `contactid`, `contact` | `contact`; where it is empty, `client` shows |
| `members` | `members`, with the contact first; an unknown one is refused |
| `responsibleid`, `responsible` | `owner` |
| `bidType`, `bidValue`, `perPeriodValue` | the same bid; FixedBid: `amount`, shown as 0 when it is unknown |
| `bidCurrencyAbbr` | `currency`; absent: the organization's |
| `stageid`, `stage` | `stage`, of any pipeline: those of the default by name, others as "Pipeline: Stage" |
| `stage.stageType`, `stage.successProbability` | follow `status`: open 0, won 1, lost and abandoned 2 |
| `successProbability` | as written: the deal's own, 0 if absent; as read: the one in force |
| `actualCloseDate` | `closed_at`; unset: 0001-01-01 |
| `expectedCloseDate` | `expected_close_date`, midnight in the organization's zone; unset: 0001-01-01 |
| `isPrivate`, `accessList` | `is_private`, `access_list`; private with an empty list stays private |
| `isNotify` | `notify_access_list` |
| `customFieldList`, `customFields` | `custom_fields`, by number and as text; an empty one is skipped |
| `PUT …/stage/{n}` | moves, takes the stage's status, and forgets a probability set by hand |
| `firstName`, `lastName`, `companyName` | the names |
| `jobTitle`, `companyId`, `about` | `job_title`, `company`, `description` |
| contact `managerList` | `owner`; more than one is refused |
| contact `commonData`, `addresses` | `email`, `phone`, `mobile`, `website`; the address |
| cannot be said | gross, tax, lost reason, followers, number, dates, url, department, project: a write leaves them |
| cannot be held | tags, photos, contacts shared for reading only, `actualCloseDate` of an open stage: refused |

Not copied: the path id of `…/stage/{n}` that nobody reads (it counts where `stageid` is absent); `DELETE …/filter` and
`PUT …/filter/access` over everything when a filter is misspelt or none is named (refused); a private opportunity that
an empty `accessList` makes public; unknown members and user fields that are dropped in silence.
"""
