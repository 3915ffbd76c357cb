"""The parts that every write of a row is composed of: columns, lists, persistence, receipts.

A write of ordinary rows makes these calls, in this order (`deals.services.write`, `contacts.services.write`, and
`writing.rows.RowWriter` for kinds that have no more than columns, foreign keys and references):

1.  `actor.require(permission)`: refuse a role or token that may not write the kind.
2.  `change_set(actor)`: open the transaction, or join the one that is open.
3.  `held_catalogue(organization, keys)` for deals, `hold_keys(keys)` for others: keep the pipelines and stages from
    being changed, and lock the keys that the changes name (`references.lock_keys`, e-mail addresses).
4.  `rows_by_key(queryset.visible_to(member), keys, lock=True)`: look up the rows that the changes name, locked
    where they must not be changed or trashed meanwhile.
5.  `lock_by_key(queryset.visible_to(member), keys)`: lock the rows that are written, in id order;
    `store.refuse_twice(ids)` refuses a list that names one twice.
6.  `Draft.of(row)` for each, `Draft(row)` for a new one: note the columns as they were;
    `references.note(model, drafts)` the external references; other lists likewise.
7.  `refusal(row, if_match)`, `set_columns`, `set_custom_fields`, `references.set_on` and the kind's rules: apply the
    changes to the drafts, and collect the errors of each; `references.clashes(model, organization, drafts)` the keys
    that other live rows have.
8.  `refuse(errors, rows=n)`: raise what was collected; nothing has been written until here.
9.  `store.insert(new)`, `store.update(existing)`: one statement each; `version` counts what has changed.
    Then `references.write(model, organization, drafts)`, the other lists, and what is derived from the rows.
10. `store.record(changes, drafts, action)`: one event a row, written when the outermost change set ends.

Reference data (`reference_data.save_named`) is written one row at a time: `catalogue_writing` replaces steps 1 and 2
and takes the catalogue's lock alone; the other steps are the same.

Locks, in the order in which they are taken (`records.locks`; PostgreSQL only):

1.  the organization's catalogue, an advisory lock: shared by writes of deals, exclusive for reference data;
2.  keys (external references, e-mail addresses), advisory locks in the order of their numbers;
3.  rows, by the rank of their kind (`Kind.rank`), and by id within a kind;
4.  the organization's event counter, at the end of the outermost change set.
"""
