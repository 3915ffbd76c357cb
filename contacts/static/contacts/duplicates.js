/* Shows the contacts that have an address, a number or the name that is typed. */
"use strict";

(() => {
    const WAIT = 400;
    const NAMES = ["kind", "first_name", "last_name", "name", "email", "phone", "mobile", "further_emails", "further_phones"];

    function setUp(email) {
        const box = document.createElement("div");
        const prefix = email.name.replace(/email$/, "");
        const isOwnPage = Boolean(email.dataset.row);
        let timer = 0, last = "";
        box.className = "crm-duplicates";
        box.setAttribute("role", "status");
        if (isOwnPage) {
            document.getElementById("content-main").prepend(box);
        } else {
            (email.closest(".field-row, .form-row") ?? email.parentElement).after(box);
        }

        function query() {
            const typed = new URLSearchParams();
            for (const name of NAMES) {
                for (const field of email.form.querySelectorAll(`[name="${prefix}${name}"]`)) {
                    if (field.value.trim()) {
                        typed.append(name, field.value);
                    }
                }
            }
            if (isOwnPage) {
                typed.set("row", email.dataset.row);
            }
            return typed.toString();
        }

        async function ask() {
            const asked = query();
            if (asked === last) {
                return;
            }
            last = asked;
            const answer = await fetch(`${email.dataset.duplicates}?${asked}`, { headers: { "X-Requested-With": "fetch" } });
            if (answer.ok && !answer.redirected && asked === last) {
                box.innerHTML = await answer.text();
            }
        }

        email.form.addEventListener("input", (event) => {
            if (event.target.name?.startsWith(prefix) && NAMES.includes(event.target.name.slice(prefix.length))) {
                clearTimeout(timer);
                timer = setTimeout(ask, WAIT);
            }
        });
        if (isOwnPage) {
            ask();
        }
    }

    document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-duplicates]").forEach(setUp));
})();
