"""Ever Gauzy: pipelines and deals, organization contacts, login.

| Gauzy | Here |
| --- | --- |
| `id` | the row's external reference for `gauzy`, else its UUID |
| `tenantId`, `organizationId` | the organization's id in both; any other value is refused with 403 |
| pipeline `name`, `description`, `isActive` | `name`, `description`, `is_active` |
| pipeline `isArchived` | the opposite of `is_active`; there is no third state |
| pipeline `stages`, stage `index` | the stages in the order of the array; `index` is the position, from 0 |
| stage `probability` | the stage's own; write-only |
| stage `name` of a new stage | won or lost if it is a usual name of such a stage, such as "Closed Won"; else open |
| stage `deals` | the visible deals, if `relations` has `stages.deals` |
| EDIT_SALES_PIPELINES | may edit pipelines; deals can be edited by more roles |
| null, an empty string | no value, for every field: a required one refuses it |
| a name or external id of white space alone | as an empty string |
| deal `title` | `name` |
| deal `probability` | written: the deal's own, 0 to 100, ignored and reported if closed; read: the effective one |
| deal `stageId` | `stage` |
| deal `clientId` | `client`; read: the contact where the deal has no client |
| `createdByUserId` | `created_by`; of pipelines and stages: who created them according to the journal |
| contact `name` | a company's name, or a person's first and last name |
| contact `primaryEmail`, `primaryPhone`, `notes` | `email`, `phone`, `description` |
| contact `contact` | country, city, street, postal code and website; coordinates are ignored and reported |
| contact `members` | the owner, as a list of one; two are refused |
| contact `contactType` | the custom field `contact_type`, declared or not; `CLIENT` if it has no value |
| contact `budget`, `imageUrl`, `inviteStatus`, `tags`, `projects` | read: empty; a value is refused |
| `deletedAt` | `deleted_at`; `/soft`, `/recover` and `withDeleted` use the trash, which keeps rows for thirty days |
| employee, user | a member |
| role | viewer `VIEWER`, rep `EMPLOYEE`, manager `MANAGER`, admin `ADMIN` |
| `refresh_token` | signed; ends with its login's token, with another password, or a week after the login |
| `page`, `limit`, `search` and filters beside `where` | supported, although the vendor's server ignores them |
| not supported | amounts, currency, status, owner and all other fields of a deal: a write keeps them |

Deliberate differences: a PUT of a pipeline without `stages` keeps the stages, where the vendor's server deletes them
with their deals; a pipeline with deals cannot be deleted; a contact may belong to several deals; a refresh does not
end the refresh token, which the vendor's assistant uses again; deleting an unknown row is a 404.
"""
