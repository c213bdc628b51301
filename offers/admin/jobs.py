"""Background jobs, in the look of the other pages; the library's own columns, to be read only."""

from django.contrib import admin
from procrastinate.contrib.django.models import ProcrastinateJob

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column
from customers.admin.words import both

admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(MachineRowsAdmin):
    title = both(en="Background jobs", fr="Tâches de fond")
    columns = (
        column("task_name", en="Task", fr="Tâche", order=False),
        column("status", en="State", fr="État", order=False),
        column("queue_name", en="Queue", fr="File", order=False),
        column("scheduled_at", en="Not before", fr="Pas avant", order=False),
        column("attempts", en="Tries", fr="Essais", order=False),
    )
    list_filter = ("status",)
