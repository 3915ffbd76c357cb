"""The page on which a member chooses the language and the time zone of the pages."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_project.accounts.actors import Actor
from crm_project.accounts.countries import time_zones
from crm_project.accounts.services import change_preferences
from crm_project.languages import LANGUAGES, nearest
from crm_project.staff.inputs import Select
from crm_project.staff.request_actor import actor_of


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(label=gettext_lazy("Language"), widget=Select(), required=False)
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        widget=Select(),
        required=False,
        help_text=gettext_lazy(
            "Of the times that you read and write. What is due today follows the organization."
        ),
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = actor.organization
        default = _("As the organization: %(value)s")
        language: Any = self.fields["language"]
        language.choices = [("", default % {"value": LANGUAGES[nearest(own.language)]}), *LANGUAGES.items()]
        zone: Any = self.fields["time_zone"]
        zone.choices = [
            ("", default % {"value": own.time_zone}),
            *((name, name) for name in sorted(time_zones())),
        ]


def preferences_view(request: HttpRequest, site: Any) -> HttpResponse:
    actor = actor_of(request)
    if actor is None:
        raise Http404
    member = actor.member
    initial = {"language": member.language, "time_zone": member.time_zone}
    form = PreferencesForm(request.POST or None, initial=initial, actor=actor)
    if form.is_valid():
        changed = change_preferences(actor=actor, change=form.cleaned_data)
        with translation.override(nearest(changed.language or actor.organization.language)):
            messages.success(request, _("Your language and time zone are saved."))
        return HttpResponseRedirect(reverse("admin:preferences"))
    context = {**site.each_context(request), "title": _("Language and time zone"), "form": form}
    return TemplateResponse(request, "admin/preferences.html", context)
