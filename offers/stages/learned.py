"""What was learned over all customers, for a batch's candidates: two queries where an offer is weighed, else none."""

from collections.abc import Collection, Mapping, Sequence

from offers.flow import Candidate, CustomerFacts, OfferTerms, Trigger
from offers.queries.targeting import get_response_model, next_basket_chances
from offers.rules.signals import NOTHING_LEARNED, Learned


def gather_learned(
    triggers: Sequence[Trigger],
    candidates: Collection[Candidate],
    terms: Mapping[int, OfferTerms],
    facts: Mapping[int, CustomerFacts],
) -> Learned:
    """Return the response model and the next baskets' chances; a reward is given without asking for either."""
    weighed = [one for one in candidates if terms[one.offer_id].objective == "margin"]
    if not weighed:
        return NOTHING_LEARNED
    customer_ids = {triggers[one.trigger].customer_id for one in weighed} & facts.keys()
    chances = next_basket_chances(customer_ids=customer_ids, offer_ids={one.offer_id for one in weighed})
    return Learned(model=get_response_model(), basket_chances=chances)
