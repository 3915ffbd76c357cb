"""Operators see the tasks with their errors, and run them again; members see nothing of them."""

from django.utils import timezone

from crm_project.background import queue, schedule
from crm_project.background.models import Schedule, StoredTask
from tests.background import sample
from tests.staff.base import StaffTestCase, action_url, change_url, list_url
from tests.tasks import run_tasks


class TaskPagesTests(StaffTestCase):
    def setUp(self):
        self.sign_in(self.operator)

    def test_the_list_has_the_error_of_a_task_that_failed(self):
        sample.always_fails.enqueue("<b>a</b>")
        sample.mark.enqueue("b")
        run_tasks(failing=True)

        page = self.page(f"{list_url(StoredTask)}?state=failed")

        assert "tests.background.sample.always_fails" in page
        assert "ValueError: &lt;b&gt;a&lt;/b&gt; cannot be done, says ***" in page
        assert "sample.mark" not in page
        detail = self.page(change_url(StoredTask.objects.get(state="failed")))
        assert "&quot;&lt;b&gt;a&lt;/b&gt;&quot;" in detail
        assert "sample.py" in detail
        assert "Run again" in detail

    def test_it_is_run_again(self):
        sample.always_fails.enqueue("a")
        run_tasks(failing=True)
        task = StoredTask.objects.get()

        answer = self.client.post(action_url("again", task), follow=True)

        assert "queued" in answer.content.decode()
        run_tasks(failing=True)
        assert sample.marks("a") == 6

    def test_one_that_is_running_is_not(self):
        sample.mark.enqueue("a")
        task = queue.claim("default", "one", timezone.now())

        answer = self.client.post(action_url("again", task))

        assert "is queued or running" in answer.content.decode()
        task.refresh_from_db()
        assert task.state == "running"

    def test_the_schedule_can_be_run_now(self):
        schedule.enqueue_due(timezone.now())
        entry = Schedule.objects.get(name="delete-expired")
        assert "daily at 03:00 UTC" in self.page(list_url(Schedule))

        self.client.post(action_url("now", entry))

        assert StoredTask.objects.get().name == "crm_project.operations.tasks.delete_expired"
        assert Schedule.objects.get(pk=entry.pk).next_at == entry.next_at

    def test_members_do_neither_see_nor_run_them(self):
        task = StoredTask.objects.create(name="a.task", queue="default", state="failed")
        for who in (self.alice, self.bob):
            self.sign_in(who)
            assert self.client.get(list_url(StoredTask)).status_code == 403
            assert self.client.post(action_url("again", task)).status_code == 403
        task.refresh_from_db()
        assert task.state == "failed"
