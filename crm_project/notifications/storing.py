"""Store happenings as notifications of the members who want them and may see their rows, and queue their mails."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from crm_project.accounts.models import Member
from crm_project.mail.services import has_mail_server, queue_messages
from crm_project.notifications.mails import TEMPLATE
from crm_project.notifications.models import Notification, NotificationSettings
from crm_project.notifications.querysets import MODELS
from crm_project.notifications.rules import Happening, switches

# Rows of one statement.
BATCH = 500


def wanted(happenings: Iterable[Happening]) -> list[tuple[Notification, Member, bool]]:
    """Unsaved notifications with their members, and whether each is mailed. Reads, and writes nothing."""
    by_member: dict[int, list[Happening]] = defaultdict(list)
    for happening in happenings:
        by_member[happening.member_id].append(happening)
    if not by_member:
        return []
    members = Member.objects.active().select_related("user", "organization").in_bulk(list(by_member))
    changed = dict(NotificationSettings.objects.filter(member__in=members).values_list("member", "switches"))
    found = []
    for pk, member in members.items():
        channels = switches(changed.get(pk, {}))
        visible = _visible_rows(member, by_member[pk])
        for one in by_member[pk]:
            bell, mail = channels[one.kind]["bell"], channels[one.kind]["mail"]
            if (bell or mail) and (one.row_kind, one.row_id) in visible:
                found.append((_notification(member, one, bell), member, mail))
    return found


def store(found: Sequence[tuple[Notification, Member, bool]]) -> int:
    """Insert those that do not exist, with one message for each member; in the caller's transaction."""
    if not found:
        return 0
    keys = {notification.key for notification, _, _ in found}
    members = {member.pk for _, member, _ in found}
    known = set(
        Notification.objects.filter(member__in=members, key__in=keys).values_list("member", "kind", "key")
    )
    fresh = [one for one in found if (one[0].member_id, one[0].kind, one[0].key) not in known]
    Notification.objects.bulk_create([notification for notification, _, _ in fresh], batch_size=BATCH)
    _queue_mails(fresh)
    return len(fresh)


def _notification(member: Member, happening: Happening, bell: bool) -> Notification:
    return Notification(
        organization_id=member.organization_id,
        member=member,
        kind=happening.kind,
        key=happening.key,
        row_kind=happening.row_kind,
        row_id=happening.row_id,
        sequence=happening.sequence,
        in_bell=bell,
    )


def _visible_rows(member: Member, happenings: Iterable[Happening]) -> set[tuple[str, int]]:
    ids: dict[str, set[int]] = defaultdict(set)
    for happening in happenings:
        ids[happening.row_kind].add(happening.row_id)
    return {
        (kind, pk)
        for kind, row_ids in ids.items()
        for pk in MODELS[kind].objects.visible_to(member).filter(pk__in=row_ids).values_list("pk", flat=True)
    }


def _queue_mails(fresh: Iterable[tuple[Notification, Member, bool]]) -> None:
    """What happened to a member at once, such as a hand-over of many deals, is one message."""
    if not has_mail_server():
        return
    mailed: dict[Member, list[int]] = defaultdict(list)
    for notification, member, mail in fresh:
        if mail:
            mailed[member].append(notification.pk)
    by_organization: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    for member, ids in mailed.items():
        by_organization[member.organization_id].append(
            (member.email, {"member": member.pk, "notifications": ids})
        )
    for organization_id, recipients in by_organization.items():
        queue_messages(template=TEMPLATE, recipients=recipients, organization_id=organization_id)
