"""Run background tasks in a test."""

from crm_project.background.worker import run_due


def run_tasks(*, failing: bool = False) -> int:
    """Run what is due, and what that enqueues, in the test's connection; returns the number of tasks.

    The exception of a task is raised, unless the test expects failures and looks at the stored tasks itself.
    """
    ran = run_due()
    for _, error in ran:
        if error is not None and not failing:
            raise error
    return len(ran)
