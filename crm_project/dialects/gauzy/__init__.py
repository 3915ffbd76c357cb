"""Ever Gauzy: pipelines and deals, organization contacts, login.

| Gauzy | here |
| --- | --- |
| `id` of everything | the row's reference under `gauzy`, else its uuid |
| `tenantId`, `organizationId` | both the organization's id; another value is refused with 403, wherever it stands |
| pipeline `name`, `description`, `isActive` | `name`, `description`, `is_active` |
| pipeline `isArchived` | not active: the core knows no third state |
| pipeline `stages`, stage `index` | the stages in the order of the array; `index` is the position, from 0 |
| stage `probability` | the stage's own; only written, as the vendor's assistant does |
| deal `title` | `name` |
| deal `probability` | as written: the deal's own, 0 to 100; as read: the one in force |
| deal `stageId` | `stage` |
| deal `clientId` | `client`; a deal without a client shows its contact there |
| `createdByUserId` | `created_by` |
| contact `name` | a company's name, or a person's first and last one |
| contact `primaryEmail`, `primaryPhone`, `notes` | `email`, `phone`, `description` |
| contact `contact` | country, city, street, postal code and website; coordinates are ignored, and named |
| contact `members` | the owner, as a list of one; two are refused |
| contact `contactType` | `CLIENT`, unless the custom field `contact_type`, declared or not, says otherwise |
| contact `budget`, `imageUrl`, `inviteStatus`, `tags`, `projects` | shown empty; refused with a value |
| `deletedAt` | `deleted_at`; `/soft`, `/recover` and `withDeleted` are the trash of thirty days |
| employee | a member; what `/user/me` says of oneself |
| role | viewer `VIEWER`, rep `EMPLOYEE`, manager `MANAGER`, admin `ADMIN` |
| `refresh_token` | signed; ends with its login's token, with the password, or after a week |
| `page`, `limit`, `search` and filters beside `where` | followed, where the vendor's server overlooks them |
| cannot be said | amounts, currency, status, owner and all else of a deal: a write leaves them alone |

Not copied: a PUT of a pipeline without `stages` leaves the stages as they are, where the vendor's server deletes them
with their deals; deleting a pipeline that deals stand in is refused; one contact may be on many deals; a refresh does
not end the refresh token, which the vendor's assistant uses again; deleting what is not there is a 404.
"""
