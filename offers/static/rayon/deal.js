// What a last-minute deal would do, asked of the server with each change; and what it does now, every half minute.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const PAUSE_MS = 350;
    const REFRESH_MS = 30000;
    const preview = document.querySelector("[data-rayon-preview]");
    const now = document.querySelector("[data-rayon-now]");

    if (preview) {
        const form = preview.closest("form");
        let timer = 0;
        let running = null;

        const ask = async () => {
            if (running) {
                running.abort();
            }
            running = new AbortController();
            try {
                const answer = await fetch(preview.dataset.rayonPreview, {
                    method: "POST",
                    body: new FormData(form),
                    credentials: "same-origin",
                    signal: running.signal,
                });
                if (answer.ok && !answer.redirected) {
                    preview.innerHTML = await answer.text();
                }
            } catch (error) {
                if (error.name !== "AbortError") {
                    preview.textContent = "…";
                }
            }
        };
        const soon = () => {
            clearTimeout(timer);
            timer = setTimeout(ask, PAUSE_MS);
        };

        form.addEventListener("input", soon);
        form.addEventListener("change", soon);
        if (window.django && window.django.jQuery) {
            window.django.jQuery(form).on("change", "select", soon); // the search boxes tell jQuery alone
        }
        ask();
    }

    if (now) {
        setInterval(async () => {
            if (document.hidden) {
                return;
            }
            try {
                const answer = await fetch(now.dataset.rayonNow, { credentials: "same-origin" });
                if (answer.ok && !answer.redirected) {
                    now.innerHTML = await answer.text();
                }
            } catch {
                // The next half minute tries again.
            }
        }, REFRESH_MS);
    }
});
