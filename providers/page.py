"""The page of the local providers: what each phone, browser and mailbox received, in French or English, from nowhere else."""

from collections.abc import Sequence
from html import escape

_WORDS = {
    "en": {
        "title": "Messages received",
        "lead": "What phones, browsers and mailboxes received from the local providers.",
        "own_title": "Phones",
        "own_lead": "What the phones received from the local push provider.",
        "empty": "Nothing yet.",
        "refused": "not delivered",
        "silent": "The provider does not answer.",
    },
    "fr": {
        "title": "Messages reçus",
        "lead": "Ce que téléphones, navigateurs et boîtes aux lettres ont reçu des fournisseurs locaux.",
        "own_title": "Téléphones",
        "own_lead": "Ce que les téléphones ont reçu du fournisseur de notifications local.",
        "empty": "Rien pour l’instant.",
        "refused": "non distribué",
        "silent": "Le fournisseur ne répond pas.",
    },
}
_NAMES = {
    "en": {
        "fcm": "Android phones · FCM",
        "apns": "iPhones · APNs",
        "webpush": "Browsers · Web Push",
        "email": "E-mail · SMTP",
        "sms": "SMS",
    },
    "fr": {
        "fcm": "Téléphones Android · FCM",
        "apns": "iPhone · APNs",
        "webpush": "Navigateurs · Web Push",
        "email": "E-mail · SMTP",
        "sms": "SMS",
    },
}

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 84rem; padding: 1rem; }}
h1 {{ margin: 0; }}
main {{ align-items: start; margin-top: 1rem; display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }}
section {{ border: 1px solid #8886; border-radius: 1rem; padding: .75rem 1rem; }}
h2 {{ font-size: 1.05rem; margin: 0; }}
h3 {{ font: 600 .85rem ui-monospace, monospace; margin: .75rem 0 .25rem; overflow-wrap: anywhere; }}
article {{ background: #8882; border-radius: .6rem; margin: .5rem 0; padding: .6rem .8rem; }}
article.refused {{ opacity: .65; }}
p {{ margin: .2rem 0; overflow-wrap: anywhere; white-space: pre-line; }}
small {{ display: block; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{lead}</p>
<p id="silent" role="status" hidden>{silent}</p>
<main aria-live="polite">{sections}</main>
<script>
const phones = new Map();
let seen = 0;
function add(parent, tag, text) {{
  const node = document.createElement(tag);
  node.textContent = text;
  parent.append(node);
  return node;
}}
function phone(provider, token) {{
  const key = provider + " " + token;
  if (!phones.has(key)) {{
    const section = document.getElementById("at-" + provider);
    section.querySelector(".empty")?.remove();
    const place = document.createElement("div");
    add(place, "h3", token.length > 40 ? token.slice(0, 18) + "…" + token.slice(-18) : token);
    section.insertBefore(place, section.querySelector("div"));
    phones.set(key, place);
  }}
  return phones.get(key);
}}
function said(message) {{
  const shown = message.notification || message.payload?.aps?.alert;
  if (shown) return [shown.title, shown.body];
  if (message.headers?.Subject) return [message.headers.Subject, message.parts["text/plain"]];
  return ["", message.text];
}}
function show(entry) {{
  const article = document.createElement("article");
  const [title, body] = said(entry.message);
  if (title) add(article, "strong", title);
  if (body) add(article, "p", body.trim());
  const data = entry.message.data || entry.message.payload?.data || {{}};
  for (const [key, value] of Object.entries(data)) add(article, "small", key + ": " + value);
  const time = new Date(entry.at).toLocaleTimeString(document.documentElement.lang);
  add(article, "small", entry.delivered ? time : time + " · {refused}: " + entry.answer.code);
  article.classList.toggle("refused", !entry.delivered);
  phone(entry.provider || "phones", entry.token || "?").firstChild.after(article);
}}
async function poll() {{
  const silent = document.getElementById("silent");
  try {{
    const answer = await fetch("/_control/log?since=" + seen);
    if (answer.ok) for (const entry of await answer.json()) {{ show(entry); seen = entry.seq; }}
    silent.hidden = answer.ok;
  }} catch {{
    silent.hidden = false;
  }} finally {{
    setTimeout(poll, 1500);
  }}
}}
poll();
</script>
</body>
</html>
"""


def page(accept_language: str, *, providers: Sequence[str] = ()) -> str:
    """Return the page in the language of an Accept-Language header's first choice; English unless French.

    `providers`: whose entries the log holds, each with a heading; none for one provider's own page.
    """
    lang = "fr" if accept_language.strip().lower().startswith("fr") else "en"
    words = dict(_WORDS[lang])
    names = {name: _NAMES[lang].get(name, name) for name in providers}
    if not names:
        names = {"phones": ""}
        words |= {"title": words["own_title"], "lead": words["own_lead"]}
    sections = "".join(
        f'<section id="at-{escape(name)}">{f"<h2>{escape(shown)}</h2>" if shown else ""}'
        f'<p class="empty">{words["empty"]}</p></section>'
        for name, shown in names.items()
    )
    return _PAGE.format(lang=lang, sections=sections, **words)
