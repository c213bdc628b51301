"""The door of a link that takes consent back: no login, no script, and not a word about whose it is.

A GET changes nothing, since mail programs and scanners follow links; a POST does, by the page's button or by a mail
program's own (RFC 8058).
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from customers.operations.withdrawing import LINK, withdraw_consent
from customers.unsubscribing import NotOurs, read_word

PAGE = "rayon/unsubscribe.html"


@csrf_exempt  # the link itself is the permission, and mail programs have no cookie
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, signed: str) -> HttpResponse:
    """Show what the link would do, or do it; 404 for a link that is not ours."""
    try:
        word = read_word(signed)
    except NotOurs:
        return render(request, PAGE, {"step": "unknown"}, status=404)
    if request.method != "POST":
        return render(request, PAGE, {"step": "ask", "channel": word.channel})
    withdraw_consent(
        customer_ids=[word.customer_id], purpose=word.channel, text_version=LINK, now=timezone.now()
    )
    return render(request, PAGE, {"step": "done", "channel": word.channel})
