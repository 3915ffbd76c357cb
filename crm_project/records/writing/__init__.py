"""The parts that every write of a row is composed of: columns, lists, persistence, receipts.

A write of ordinary rows makes these calls, in this order (`deals.services.write`, `contacts.services.write`, and
`writing.rows.RowWriter` for kinds that have no more than columns, foreign keys and references):

1.  `actor.require(permission)`: refuse a role or token that may not write the kind.
2.  `change_set(actor)`: open the transaction, or join the one that is open.
3.  `held_catalogue(organization, keys)` for deals, `hold_keys(keys)` for others: keep the pipelines and stages from
    being changed, and lock the keys that the changes name (`references.lock_keys`, e-mail addresses).
4.  `rows_by_key(queryset.visible_to(member), keys, lock=True)`: look up the rows that the changes name, and keep them
    from being changed or trashed meanwhile.
5.  `store.refuse_twice(ids)`: refuse a list that names a row twice.
6.  `lock_by_key(queryset.visible_to(member), keys)`: lock the rows that are written, in id order.
7.  `Draft.of(row)` for each, `Draft(row)` for a new one: note the columns as they were.
8.  `references.note(model, drafts)`: note the external references as they were; other lists likewise.
9.  `refusal(row, if_match)`, `set_columns`, `set_custom_fields`, `references.set_on` and the kind's rules: apply the
    changes to the drafts, and collect the errors of each.
10. `references.clashes(model, organization, drafts)`: collect the keys that other live rows have.
11. `refuse(errors, rows=n)`: raise what was collected; nothing has been written until here.
12. `store.insert(new)`, `store.update(existing)`: one statement each; `version` counts what has changed.
13. `references.write(model, organization, drafts)`, the other lists, and what is derived from the rows.
14. `store.record(changes, drafts, action)`: one event a row, written when the outermost change set ends.

Reference data (`reference_data.save_named`) is written one row at a time: `catalogue_writing` replaces steps 1 and 2
and takes the catalogue's lock alone; the other steps are the same.

Locks, in the order in which they are taken (`records.locks`; PostgreSQL only):

1.  the organization's catalogue, an advisory lock: shared by writes of deals, exclusive for reference data;
2.  keys (external references, e-mail addresses), advisory locks in the order of their numbers;
3.  rows, by the rank of their kind (`Kind.rank`: members, custom fields, contacts, pipelines, stages, lost reasons,
    deals, activities), and by id within a kind;
4.  the organization's event counter, at the end of the outermost change set.
"""
