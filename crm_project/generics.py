"""Django classes that are generic in django-stubs only, with type arguments: Django 5.2 cannot subscript them."""

from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import DecimalField
from django.forms import BaseInlineFormSet, ModelChoiceField, ModelForm, ModelMultipleChoiceField

if TYPE_CHECKING:
    AnyBaseInlineFormSet = BaseInlineFormSet[Any, Any, ModelForm[Any]]
    AnyDecimalField = DecimalField[Any, Any]
    AnyModelChoiceField = ModelChoiceField[Any]
    AnyModelForm = ModelForm[Any]
    AnyModelMultipleChoiceField = ModelMultipleChoiceField[Any]
    AnyPage = Page[Any]
    AnyPaginator = Paginator[Any]
else:
    AnyBaseInlineFormSet = BaseInlineFormSet
    AnyDecimalField = DecimalField
    AnyModelChoiceField = ModelChoiceField
    AnyModelForm = ModelForm
    AnyModelMultipleChoiceField = ModelMultipleChoiceField
    AnyPage = Page
    AnyPaginator = Paginator
