"""People and companies."""

from django.apps import AppConfig


class ContactsConfig(AppConfig):
    name = "contacts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contacts import kinds
        from contacts.models import Contact
        from contacts.services import hand_over_contacts, renormalize_phones
        from crm_project.accounts import hooks

        hooks.hand_over.append(hand_over_contacts)
        hooks.country_changed.append(renormalize_phones)
        hooks.count_owned["contact"] = lambda member: Contact.objects.live().filter(owner=member).count()
        kinds.connect()
