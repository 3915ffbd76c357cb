"""Every `code` of a problem of `/api`: its status, its meaning and what a client can do.

`docs/api.md` holds the table that `manage.py error_codes` prints. The tests compare both with the code.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """`statuses` are those of the answer; a code of one field keeps the status of the whole answer."""

    code: str
    statuses: tuple[int, ...]
    meaning: str
    remedy: str


REQUEST = (
    ErrorCode("parse_error", (400,), "The body is not valid JSON.", "Send valid JSON in UTF-8."),
    ErrorCode(
        "invalid_header",
        (400, 417, 501),
        "A header has a wrong form or does not fit the request.",
        "Read `detail` and correct the header.",
    ),
    ErrorCode(
        "unknown_parameter",
        (400,),
        "The query has a parameter that this operation does not take.",
        "Use one of the names in `detail`.",
    ),
    ErrorCode(
        "not_authenticated",
        (401,),
        "The request has no credentials.",
        "Send `Authorization: Bearer <token>`.",
    ),
    ErrorCode(
        "authentication_failed",
        (401,),
        "The token is unknown, expired or revoked, or its member is inactive.",
        "Use another token.",
    ),
    ErrorCode(
        "forbidden",
        (403,),
        "The role of the member or the scopes of the token do not allow this.",
        "`required` has the scopes that the token lacks; without it the role lacks `permission`.",
    ),
    ErrorCode(
        "insecure_transport",
        (403,),
        "The request came without TLS to a server behind TLS.",
        "Use https, and replace the token, which may have been read.",
    ),
    ErrorCode(
        "not_found",
        (404,),
        "The path or the row does not exist, or the member may not see it.",
        "Check the path and the id.",
    ),
    ErrorCode(
        "method_not_allowed",
        (405,),
        "The resource does not support this method.",
        "Use a method of the `Allow` header.",
    ),
    ErrorCode("not_acceptable", (406,), "No format of `Accept` is available.", "Accept `application/json`."),
    ErrorCode(
        "too_large",
        (413,),
        "The body or the file is larger than the limit.",
        "Send less in one request.",
    ),
    ErrorCode(
        "answer_too_large",
        (413,),
        "The answer would exceed the limits of the server. Nothing was written.",
        "Ask for fewer rows with `page_size`, or send fewer operations.",
    ),
    ErrorCode(
        "uri_too_long",
        (414,),
        "The request line is longer than 8,190 bytes.",
        "Send fewer or shorter query parameters.",
    ),
    ErrorCode(
        "headers_too_large",
        (431,),
        "The headers are too many or too long.",
        "Send fewer or shorter headers.",
    ),
    ErrorCode(
        "unsupported_media_type",
        (415,),
        "The `Content-Type` or `Content-Encoding` is not supported.",
        "Send `application/json` without a content encoding.",
    ),
    ErrorCode(
        "internal_error", (500,), "The server failed. Nothing was written.", "Report the `request_id`."
    ),
    ErrorCode(
        "quota_exceeded",
        (429,),
        "Too many requests of this token, user, organization or address.",
        "Wait `Retry-After` seconds; `violated-policies` names the limits.",
    ),
    ErrorCode(
        "unavailable",
        (503,),
        "The database cannot answer.",
        "Repeat the request after `Retry-After` seconds, with the same Idempotency-Key.",
    ),
    ErrorCode(
        "answer_too_slow",
        (503,),
        "Several reads in one request take longer than the limit of the server.",
        "Ask for less at once.",
    ),
)

FIELDS = (
    ErrorCode(
        "invalid",
        (400,),
        "A value has a wrong form, or `errors` holds several codes.",
        "Correct the fields in `errors`.",
    ),
    ErrorCode("required", (400,), "A required field is missing.", "Send the field."),
    ErrorCode("null", (400,), "The field may not be null.", "Send a value, or leave the field out."),
    ErrorCode("blank", (400,), "The text may not be empty.", "Send a text."),
    ErrorCode("invalid_choice", (400,), "The value is not one of the choices.", "Use a value of `detail`."),
    ErrorCode("not_a_list", (400,), "The value is not a list.", "Send a list."),
    ErrorCode("not_a_dict", (400,), "The value is not an object.", "Send an object."),
    ErrorCode("max_length", (400,), "The text or list is too long.", "Shorten it."),
    ErrorCode("min_length", (400,), "The text or list is too short.", "Lengthen it."),
    ErrorCode("max_value", (400,), "The number is too large.", "Send a smaller number."),
    ErrorCode("min_value", (400,), "The number is too small.", "Send a larger number."),
    ErrorCode("out_of_range", (400,), "The number is outside the range of the field.", "See `detail`."),
    ErrorCode("overflow", (400,), "The instant is outside the supported years.", "Send another instant."),
    ErrorCode(
        "max_decimal_places",
        (400,),
        "The amount has more decimals than its currency.",
        "Round the amount; the server never rounds.",
    ),
    ErrorCode("past", (400,), "The instant is in the past.", "Send an instant of the future."),
    ErrorCode("future", (400,), "The instant is in the future.", "Send an instant of the past."),
    ErrorCode("too_many_keys", (400,), "An object has more than 500 keys.", "Send the documented fields."),
    ErrorCode(
        "unknown_field", (400,), "The body has a field that does not exist.", "Use a name of `detail`."
    ),
    ErrorCode(
        "read_only",
        (400,),
        "A read-only field has another value than the stored one.",
        "Leave the field out, or send it back unchanged.",
    ),
    ErrorCode(
        "immutable",
        (400,),
        "The field cannot change, since stored values depend on it.",
        "Create another definition.",
    ),
    ErrorCode(
        "does_not_exist",
        (400,),
        "The body names a row that does not exist or that the member may not see.",
        "Check the id.",
    ),
    ErrorCode("inactive", (400,), "The member is deactivated.", "Choose an active member."),
    ErrorCode(
        "wider",
        (400,),
        "A token cannot create a token with more scopes or a later expiry than its own.",
        "Ask for less.",
    ),
    ErrorCode(
        "changed_since",
        (409,),
        "Somebody changed this field after the change set that is to be undone.",
        "Change the field by hand.",
    ),
    ErrorCode("gone", (400, 409), "A row that this field names is in the trash.", "Restore that row first."),
    ErrorCode("scheme", (400,), "A URL does not begin with https://.", "Send one that does, with a host."),
    ErrorCode("user_info", (400,), "A URL contains a user name or a password.", "Leave them out."),
    ErrorCode("port", (400,), "A URL has a port that is not allowed.", "Use 80, 443 or a port from 1024 on."),
    ErrorCode("host", (400,), "A URL has no full name of a public host.", "Send one that has."),
    ErrorCode(
        "internal_host",
        (400,),
        "The host of a URL is inside the network.",
        "Use a public host, or have the operator name it in `OUTBOUND_ALLOWED_HOSTS`.",
    ),
)

DEALS = (
    ErrorCode(
        "due_conflict",
        (400,),
        "An activity is due at an instant or on a day, not both.",
        "Send `due_at` or `due_on`.",
    ),
    ErrorCode("amount_conflict", (400,), "Amount, gross amount and bid disagree.", "Send one of them."),
    ErrorCode(
        "stage_conflict", (400,), "The status does not fit the kind of the stage.", "Send one of them."
    ),
    ErrorCode(
        "contact_conflict",
        (400,),
        "A name, phone or e-mail differs from that of the contact that the deal has or the body names.",
        "Change the contact itself, or name another contact.",
    ),
    ErrorCode(
        "stage_not_in_pipeline",
        (400,),
        "The stage belongs to another pipeline than the one in the body.",
        "Send one of them.",
    ),
    ErrorCode("pipeline_has_no_stage", (400,), "The pipeline has no stage.", "Create a stage first."),
    ErrorCode(
        "pipeline_inactive", (400,), "An inactive pipeline takes no new deals.", "Use an active pipeline."
    ),
)

CONFLICTS = (
    ErrorCode(
        "conflict",
        (409,),
        "Another request changed the same data at the same moment.",
        "Repeat the request.",
    ),
    ErrorCode(
        "in_use",
        (409,),
        "Live rows use the row; `count` is the number of those that you may see, `others` whether there are more.",
        "Move them first (`move_deals_to` for stages and pipelines); an admin sees all.",
    ),
    ErrorCode(
        "is_default", (409,), "The default pipeline cannot be removed.", "Make another pipeline the default."
    ),
    ErrorCode(
        "ambiguous_match",
        (400, 409),
        "The key of an upsert or of an import matches several rows; `candidates` lists them.",
        "Name one row by its uuid.",
    ),
    ErrorCode("email_taken", (409,), "Another live contact of this kind has the e-mail.", "Update that one."),
    ErrorCode("name_taken", (409,), "Another live row has the name.", "Choose another name."),
    ErrorCode("date_taken", (409,), "Another rate of the currency has the day.", "Update that one."),
    ErrorCode("month_taken", (409,), "Another goal of the member has the month.", "Update that one."),
    ErrorCode("key_taken", (409,), "Another custom field has the key.", "Choose another key."),
    ErrorCode(
        "reference_taken",
        (409,),
        "Another row has the external reference.",
        "Find it by `/external/{system}/{external_id}`; it may be hidden from this member.",
    ),
    ErrorCode(
        "position_unknown",
        (409,),
        "The feed has no such position; `epoch` and `last` are the present ones.",
        "Read the rows again, then continue with this `epoch` after this `last`.",
    ),
    ErrorCode(
        "undo_conflict",
        (409,),
        "Later changes stand in the way of the undo; `conflicts` lists them.",
        "Undo these first, or change the fields by hand.",
    ),
    ErrorCode("not_undoable", (409,), "The change cannot be undone.", "Change the rows by hand."),
    ErrorCode(
        "restore_conflict",
        (409,),
        "The row in the trash clashes with a live row, or its stage is gone.",
        "Change the live row, or send a `stage_id`.",
    ),
    ErrorCode(
        "precondition_failed",
        (412,),
        "The row has another version than `If-Match`; `changes` lists what happened since.",
        "Read the row again and decide.",
    ),
)

RETRIES = (
    ErrorCode(
        "idempotency_key_in_use",
        (409,),
        "The first request with this Idempotency-Key is not finished.",
        "Repeat it after `Retry-After` seconds.",
    ),
    ErrorCode(
        "idempotency_key_reused",
        (422,),
        "Another request came with this Idempotency-Key before.",
        "Use a new key for a new request.",
    ),
    ErrorCode(
        "secret_not_kept",
        (409,),
        "The first answer held a secret, which is not stored.",
        "Delete the row of `Location`, and create another one with a new key.",
    ),
)

LISTS = (
    ErrorCode("rows_refused", (400,), "Operations of a bulk request were refused.", "See `rows`."),
    ErrorCode("row_twice", (400,), "Two operations or lines change the same row.", "Join them."),
    ErrorCode("unreadable_file", (400,), "The file is not a readable table.", "See `detail`."),
    ErrorCode("too_many_cells", (400,), "A line has more cells than the header.", "Correct the file."),
    ErrorCode("import_busy", (409,), "The worker is at work on the import.", "Wait for its end."),
    ErrorCode("export_busy", (409,), "The file of the export is being written.", "Wait for its end."),
    ErrorCode("export_failed", (409,), "The file of the export could not be written.", "See `problem`."),
    ErrorCode("import_done", (409,), "The import is done already.", "Upload the file again."),
    ErrorCode(
        "import_undo",
        (409,),
        "The change set is a large import, which has an undo of its own.",
        "`POST /api/imports/{uuid}/undo`.",
    ),
    ErrorCode("file_deleted", (409,), "The uploaded file is no longer stored.", "Upload it again."),
)

GROUPS = {
    "The request": REQUEST,
    "Values of fields": FIELDS,
    "Deals": DEALS,
    "The state of the data": CONFLICTS,
    "Idempotency": RETRIES,
    "Bulk requests and imports": LISTS,
}
ERROR_CODES = {entry.code: entry for group in GROUPS.values() for entry in group}


def markdown() -> str:
    """The tables of all codes, one for each group."""
    return "\n\n".join(f"### {title}\n\n{_table(group)}" for title, group in GROUPS.items())


def _table(group: tuple[ErrorCode, ...]) -> str:
    rows = [
        f"| `{entry.code}` | {', '.join(map(str, entry.statuses))} | {entry.meaning} | {entry.remedy} |"
        for entry in group
    ]
    return "\n".join(["| code | status | meaning | remedy |", "| --- | --- | --- | --- |", *rows])
