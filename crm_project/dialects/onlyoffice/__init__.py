"""ONLYOFFICE CRM: `/api/2.0/crm/…`, its authentication and its people; every route also with `.json` and `.xml`.

Parameters come in the query, as a form or as JSON, in any case; an id of 0 and an empty uuid name nothing. XML is
answered to paths in `.xml`, unless the body is JSON; it is not read. `batch` carries out reads, and no writes.

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
| contact `managerList` | `owner`; more than one is refused, and to hide the contact from the others |
| contact `commonData`, `addresses` | `email`, `phone`, `mobile`, `website`; the address; one of each |
| `addresses.state` | the contact's custom field `state`, declared or not |
| tags of a row | its custom field `tags`, declared or not |
| tags to choose from | the options of that field, where it is declared; a manager's new tag becomes one |
| `PUT contact/merge` | the one contact takes over the other's deals, people and references, and what it lacks |
| `{entity}/customfield` | a custom field under a key made of its label; its type stays; `mask` holds options |
| `PUT settings/currency` | the organization's currency, for its admins |
| cannot be said | gross, tax, lost reason, followers, number, dates, url, department, project: a write leaves them |
| cannot be held | photos, contacts shared for reading only, their temperature and type, rates of exchange: refused |
| refused, too | `actualCloseDate` of an open stage, another day of creation or change than the journal's |
| `DELETE …/contact/{n}` of an opportunity's own contact | refused: it stays a participant |
| not counted | `relativeItemsCount` of tags and user fields, which would read every row: absent |

Not copied: the path id of `…/stage/{n}` that nobody reads (it counts where `stageid` is absent); `DELETE …/filter` and
`PUT …/filter/access` over everything when a filter is misspelt or none is named (refused); a private opportunity that
an empty `accessList` makes public; unknown members and user fields that are dropped in silence.
"""
