"""Ever Gauzy: pipelines and deals, organization contacts, login.

| Gauzy | here |
| --- | --- |
| `id` of everything | the row's reference under `gauzy`, else its uuid |
| `tenantId`, `organizationId` | both the organization's uuid; another value is refused with 403, wherever it stands |
| pipeline `name`, `description`, `isActive` | `name`, `description`, `is_active` |
| pipeline `stages`, stage `index` | the stages in the order of the array; `index` is the position, from 0 |
| deal `title` | `name` |
| deal `probability` | as written: the deal's own, 0 to 100; as read: the one in force |
| deal `stageId` | `stage` |
| deal `clientId` | `client`; a deal without a client shows its contact there |
| `createdByUserId` | `created_by` |
| contact `name`, `primaryEmail`, `primaryPhone`, `notes` | a company's name, `email`, `phone`, `description` |
| contact `contactType` | `CLIENT`, the only one there is |
| `deletedAt` | `deleted_at`; `/soft` and `/recover` are the trash |
| cannot be said | amounts, currency, status, owner and all else of a deal: a write leaves them alone |

Not copied: a PUT of a pipeline without `stages` leaves the stages as they are, where the vendor's server deletes them
with their deals; deleting a pipeline that deals stand in is refused; one contact may be on many deals.
"""
