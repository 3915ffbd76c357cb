"""ONLYOFFICE CRM: `/api/2.0/crm/…`, authentication and people; each route also with `.json` and `.xml`.

Parameters are read from the query, a form or JSON, with names in any case; an id of 0 and the empty UUID mean none.
Paths that end in `.xml` answer in XML, unless the body is JSON; XML bodies are refused. `batch` executes reads only.

| ONLYOFFICE | Here |
| --- | --- |
| `id` of opportunities, contacts, stages, user fields | the external reference for `onlyoffice`, else our primary key |
| `id` of people | the member's external reference for `onlyoffice`, else its UUID |
| null, an empty string | the parameter is absent, for every parameter: it has the vendor's default |
| a name or external id of white space alone | as an empty string |
| `title` | `name`; a deal without one is named after its number, client or contact |
| `description`, `created`, `createBy` | `description`, `created_at`, `created_by` |
| `contactid`, `contact` | `contact`; read: the client where the deal has no contact |
| `members` | read: the contact, the client, the participants; an unknown id is refused |
| contact `accessList`, `currency` | empty; the organization's currency |
| `responsibleid`, `responsible` | `owner` |
| `bidType`, `bidValue`, `perPeriodValue` | the same bid; FixedBid: `amount`, read as 0 if it is unknown |
| a JSON number `bidValue` | the amount that is within 1e-12 of it, if it has more decimals; strings are exact |
| `bidCurrencyAbbr` | `currency`; if absent, the organization's |
| `stageid`, `stage` | `stage`; stages outside the default pipeline are named "Pipeline: Stage" |
| `stage.stageType`, `stage.successProbability` | follow `status`: open 0, won 1, lost and abandoned 2 |
| `successProbability` | written: the deal's own, 0 if absent; ignored and reported if closed; read: the effective one |
| `successProbability` beyond 0 to 100 | the nearest of these, reported |
| `actualCloseDate` | `closed_at`; null is 0001-01-01 |
| `expectedCloseDate` | `expected_close_date`, as midnight in the organization's time zone; null is 0001-01-01 |
| `isPrivate`, `accessList` | `is_private`, `access_list`; private with an empty list stays private |
| `isNotify` | `notify_access_list`; ignored and reported where the list is empty or the deal public |
| `customFieldList`, `customFields` | `custom_fields`, by number and as text; an empty value is ignored |
| `PUT …/stage/{n}` | moves the deal, sets the stage's status and removes the deal's own probability |
| `firstName`, `lastName`, `companyName` | the names |
| `jobTitle`, `companyId`, `about` | `job_title`, `company`, `description` |
| contact `managerList` | `owner`, none for an empty list; more than one manager is refused |
| contact `isShared`, `isPrivate` | hiding a contact from others is refused |
| contact `commonData`, `addresses` | `email`, `phone`, `mobile`, `website`; the address; one of each |
| `addresses.state` | the contact's custom field `state`, declared or not |
| tags of a row | its custom field `tags`, declared or not |
| tags to choose from | the options of that field if it is declared; a tag that a manager adds becomes an option |
| `PUT contact/merge` | the target takes over all that the source has, and the values that it lacks |
| `{entity}/customfield` | a custom field; key from the label, fixed type, options in `mask` |
| `PUT settings/currency` | the organization's currency, for its admins |
| `id` of tasks and events | the activity's external reference for `onlyoffice`, else our primary key |
| tasks | activities of type task, and calls, meetings and e-mails that are planned |
| history | notes, and calls, meetings and e-mails that were logged, not planned |
| task `title` | `subject`; read: else the first line of the text, else the type |
| task `description`, `responsibleid` | `text`, `owner` |
| task `deadline`, `deadLine` | `due_at`; midnight is a day, `due_on`; null is 0001-01-01 |
| task `isClosed`, `close`, `reopen` | whether there is a `done_at`; closed again keeps the first time |
| `categoryid`, `category` | the type, of fixed number; changes of categories are refused |
| `contactid`, `entityType` and `entityid` | `contact`, `deal`; one of them is required; cases are refused |
| event `content` | `text`; read: subject, text and result, each on a line |
| event `created`, `createBy` | `done_at`, now if it is absent; `owner`, written: the acting member |
| task `isNotify`, `alertValue`, event `notifyUserList` | ignored and reported |
| contact `taskCount`, `haveLateTasks` | its open activities, whether one is overdue |
| not supported | gross, tax, lost reason, followers, number, dates, url, department, project: a write keeps them |
| refused | photos, contacts shared for reading only, temperature and type of contacts, exchange rates, files |
| also refused | `actualCloseDate` of an open stage; a creation or modification date other than the recorded one |
| `DELETE …/contact/{n}` of an opportunity's own contact | refused: the contact is always a participant |
| `relativeItemsCount` of tags and user fields | absent: it would have to read every row |

Deliberate differences: the stage id in the path of `…/stage/{n}`, which the vendor's server ignores, counts if
`stageid` is absent; `DELETE …/filter` and `PUT …/filter/access` are refused without a filter or with an unknown one,
where the vendor's server applies them to all rows; a private opportunity with an empty `accessList` does not become
public; unknown members and user fields are refused instead of dropped.
"""
