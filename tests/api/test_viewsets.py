"""How deep a canonical viewset is: a newcomer reads at most three own classes above it."""

from tests.api.routes import served

OWN = ("crm_project.", "contacts.", "pipelines.", "deals.")


def own_bases(view):
    return [base for base in view.__mro__[1:] if base.__module__.startswith(OWN)]


def test_a_viewset_stands_on_at_most_three_own_classes():
    views = {callback.cls for callback in served().values()}
    deep = {view.__name__: bases for view in views if len(bases := own_bases(view)) > 3}

    assert len(views) > 15
    assert not deep
