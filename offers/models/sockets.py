"""Which phones hold a socket open, and through which server process it is reached."""

from django.db import models

from customers.models import Customer


class SocketServer(models.Model):
    """A server process. It says again and again that it lives: one that died is believed until `alive_until`."""

    channel = models.CharField(max_length=100, unique=True)  # its own, on the channel layer
    alive_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"socket server {self.pk}"


class OpenSocket(models.Model):
    """A phone's newest socket. It counts while its server is alive."""

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="open_sockets", db_index=False
    )
    device_id = models.CharField(max_length=128)  # as in the phone's token
    server = models.ForeignKey(SocketServer, on_delete=models.CASCADE, related_name="sockets")
    opened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "device_id"], name="open_socket_once_per_phone")
        ]

    def __str__(self) -> str:
        return f"socket of customer {self.customer_id}"
