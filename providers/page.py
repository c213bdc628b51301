"""The page of the local provider: what each phone received, in French or English, without anything from outside."""

_WORDS = {
    "en": {
        "title": "Phones",
        "lead": "What the phones received from the local push provider.",
        "empty": "Nothing yet.",
        "refused": "not delivered",
    },
    "fr": {
        "title": "Téléphones",
        "lead": "Ce que les téléphones ont reçu du fournisseur de notifications local.",
        "empty": "Rien pour l’instant.",
        "refused": "non distribué",
    },
}

_PAGE = """<!doctype html>
<html lang="{lang}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; }}
h1 {{ margin: 0; }}
section {{ border: 1px solid #8886; border-radius: 1rem; margin: 1rem 0; padding: .5rem 1rem; }}
h2 {{ font: 600 .9rem ui-monospace, monospace; overflow-wrap: anywhere; }}
article {{ background: #8882; border-radius: .6rem; margin: .5rem 0; padding: .6rem .8rem; }}
article.refused {{ opacity: .65; }}
p {{ margin: .2rem 0; overflow-wrap: anywhere; }}
small {{ display: block; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>{lead}</p>
<main id="phones" aria-live="polite"><p>{empty}</p></main>
<script>
const phones = document.getElementById("phones");
const sections = new Map();
let seen = 0;
function add(parent, tag, text) {{
  const node = document.createElement(tag);
  node.textContent = text;
  parent.append(node);
  return node;
}}
function phone(token) {{
  if (!sections.size) phones.replaceChildren();
  if (!sections.has(token)) {{
    const section = document.createElement("section");
    add(section, "h2", token.length > 24 ? token.slice(0, 10) + "…" + token.slice(-10) : token);
    phones.prepend(section);
    sections.set(token, section);
  }}
  return sections.get(token);
}}
function show(entry) {{
  const article = document.createElement("article");
  const shown = entry.message.notification || {{}};
  add(article, "strong", shown.title || "");
  add(article, "p", shown.body || "");
  for (const [key, value] of Object.entries(entry.message.data || {{}})) add(article, "small", key + ": " + value);
  const time = new Date(entry.at).toLocaleTimeString(document.documentElement.lang);
  add(article, "small", entry.delivered ? time : time + " · {refused}: " + entry.answer.code);
  article.classList.toggle("refused", !entry.delivered);
  phone(entry.token || "?").firstChild.after(article);
}}
async function poll() {{
  try {{
    const answer = await fetch("/_control/log?since=" + seen);
    for (const entry of await answer.json()) {{ show(entry); seen = entry.seq; }}
  }} finally {{ setTimeout(poll, 1500); }}
}}
poll();
</script>
</body>
</html>
"""


def page(accept_language: str) -> str:
    """Return the page in the language of an Accept-Language header's first choice; English unless French."""
    lang = "fr" if accept_language.strip().lower().startswith("fr") else "en"
    return _PAGE.format(lang=lang, **_WORDS[lang])
