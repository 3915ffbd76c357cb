"""How the errors of a body become a problem's entries."""

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from crm_project.api.errors import flattened, problem_of


class Stage(serializers.Serializer):
    name = serializers.CharField()


class Pipeline(serializers.Serializer):
    stages = Stage(many=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=3))
    name = serializers.CharField()


def errors_of(data):
    serializer = Pipeline(data=data)
    assert not serializer.is_valid()
    return [(path, detail.code) for path, detail in flattened(serializer.errors)]


def test_a_nested_error_has_a_dotted_path():
    sent = {"stages": [{"name": "A"}, {}], "tags": ["long", "ok"], "name": ""}

    assert errors_of(sent) == [("name", "blank"), ("tags.0", "max_length"), ("stages.1.name", "required")]


def test_a_field_may_have_several_errors():
    detail = {"name": [ErrorDetail("One.", "a"), ErrorDetail("Two.", "b")]}

    assert [(path, wrong.code) for path, wrong in flattened(detail)] == [("name", "a"), ("name", "b")]


def test_an_error_of_the_whole_body_has_no_path():
    problem = problem_of(ValidationError([ErrorDetail("Not so.", "odd")]), wire_names={})

    assert [(wrong["pointer"], wrong["code"]) for wrong in problem.errors] == [("", "odd")]
    assert problem.code == "odd"
