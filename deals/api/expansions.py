"""The related rows of a deal that `expand` shows whole."""

from contacts.api.serializers import ContactSerializer
from contacts.models import Contact
from crm_project.accounts.api.serializers import UserSerializer
from crm_project.accounts.models import Member
from crm_project.api.sparse import Expansion
from pipelines.api.serializers import PipelineSerializer, StageSerializer
from pipelines.models import Pipeline, Stage

DEAL_EXPANSIONS = {
    "contact": Expansion(
        "contact_id", ContactSerializer, lambda member: Contact.objects.seen_by(member).for_reading()
    ),
    "client": Expansion(
        "client_id", ContactSerializer, lambda member: Contact.objects.seen_by(member).for_reading()
    ),
    "owner": Expansion(
        "owner_id", UserSerializer, lambda member: Member.objects.visible_to(member).select_related("user")
    ),
    "stage": Expansion("stage_id", StageSerializer, lambda member: Stage.objects.seen_by(member)),
    "pipeline": Expansion(
        "stage.pipeline_id", PipelineSerializer, lambda member: Pipeline.objects.seen_by(member).with_stages()
    ),
}
