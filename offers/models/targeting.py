"""What is learned over all customers and kept: next baskets, and the versions of the response model."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from customers.models import Customer
from offers.models.promotions import Offer


class NextBasket(models.Model):
    """The products that a customer's next basket holds most probably, best first; written by operations.next_baskets.

    The arrays are of one length. A part is what one kind of evidence adds to the log-odds of the chance.
    """

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="next_basket")
    gtins = ArrayField(models.CharField(max_length=14))
    chances = ArrayField(models.FloatField())  # 0..1, that the next basket holds it
    own = ArrayField(models.FloatField())  # bought before
    alike = ArrayField(models.FloatField())  # bought by customers like this one
    together = ArrayField(models.FloatField())  # goes with what was bought
    popular = ArrayField(models.FloatField())  # bought and bought again by everybody
    computed_at = models.DateTimeField()

    class Meta:
        # reader: the job, which takes away what it did not write anew
        indexes = [models.Index(fields=["computed_at"], name="next_basket_computed")]

    def __str__(self) -> str:
        return f"next basket of customer {self.customer_id}"


class CustomerResponses(models.Model):
    """How often a customer was shown an offer and bought its target within a week; counted by operations.response."""

    customer = models.OneToOneField(Customer, on_delete=models.CASCADE, related_name="responses")
    shown = models.PositiveIntegerField()  # treated, not voided, their week over
    answered = models.PositiveIntegerField()  # of these
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"responses of customer {self.customer_id}"


class OfferResponses(models.Model):
    """The same of an offer, over the customers who allow profiling."""

    offer = models.OneToOneField(Offer, on_delete=models.CASCADE, related_name="responses")
    shown = models.PositiveIntegerField()
    answered = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"responses to offer {self.offer_id}"


class ResponseModel(models.Model):
    """A version of the response model (offers.rules.response.Model), kept for ever; at most one is in use."""

    version = models.PositiveIntegerField(unique=True)  # from 1; 0 is the model before anything was learned
    parameters = models.JSONField()  # {"weights": {column: weight}, "slope", "shift"}
    is_current = models.BooleanField(default=False)
    exposures = models.PositiveIntegerField()  # it was learned from
    figures = (
        models.JSONField()
    )  # on the latest exposures: {"log_loss", "log_loss_before", "calibration_error", "auc"}
    trained_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_current"], condition=Q(is_current=True), name="one_current_response_model"
            )
        ]

    def __str__(self) -> str:
        return f"response model {self.version}"
