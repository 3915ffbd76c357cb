/* Forms: sent once, saved by Ctrl+S, opened at the first wrong field, and kept when the session has ended. */
"use strict";

(() => {
    const STORE = "crm-typed";
    const LONGEST_AGE = 12 * 60 * 60 * 1000;
    const NOT_KEPT = ["csrfmiddlewaretoken", "password"];
    const isInterruption = document.currentScript.hasAttribute("data-interrupted");
    const place = () => location.pathname + location.search;
    const user = () => document.body.dataset.user ?? "";

    function stored() {
        try {
            return JSON.parse(sessionStorage.getItem(STORE));
        } catch {
            return null;
        }
    }

    /* Saved before it is sent: the answer may be the page that signs in. */
    function keep(form) {
        const fields = [...form.elements]
            .filter((field) => field.name && !NOT_KEPT.includes(field.name) && field.type !== "file")
            .filter((field) => field.type !== "submit" && field.type !== "password")
            .map((field) => ({
                name: field.name,
                values: field.options
                    ? [...field.selectedOptions].map((option) => [option.value, option.text])
                    : [[field.type === "checkbox" || field.type === "radio" ? field.checked : field.value, field.value]],
                type: field.type,
            }));
        sessionStorage.setItem(STORE, JSON.stringify({ user: user(), place: place(), at: Date.now(), fields }));
    }

    function fillSelect(select, values) {
        for (const [value, text] of values) {
            if (![...select.options].some((option) => option.value === value)) {
                select.add(new Option(text, value));
            }
        }
        const chosen = values.map(([value]) => value);
        for (const option of select.options) {
            option.selected = chosen.includes(option.value);
        }
    }

    function fill(form, fields) {
        const seen = {};
        for (const { name, values, type } of fields) {
            const index = seen[name] = (seen[name] ?? -1) + 1;
            const field = [...form.elements].filter((one) => one.name === name && one.type !== "submit")[index];
            if (!field || field.type === "file") {
                continue;
            }
            if (field.options) {
                fillSelect(field, values);
            } else if (type === "checkbox" || type === "radio") {
                field.checked = values[0][0];
            } else {
                field.value = values[0][0];
            }
            if (field.type !== "hidden") {
                field.dispatchEvent(new Event("input", { bubbles: true }));
                field.dispatchEvent(new Event("change", { bubbles: true }));
            }
        }
    }

    function restore() {
        const typed = stored();
        const isSignIn = document.body.classList.contains("login");
        if (!typed) {
            return;
        }
        if (isSignIn || isInterruption) {
            sessionStorage.setItem(STORE, JSON.stringify({ ...typed, interrupted: true }));
            return;
        }
        const form = mainForm();
        const isHere = typed.interrupted && form && typed.place === place() && typed.user === user();
        if (isHere) {
            fill(form, typed.fields);
            const note = document.createElement("p");
            note.className = "crm-note crm-restored";
            note.setAttribute("role", "status");
            note.textContent = document.body.dataset.signedOut;
            form.before(note);
            if (form.offsetParent === null) {
                location.hash = "edit";
            }
        }
        const waits = typed.interrupted && typed.user === user() && Date.now() - typed.at < LONGEST_AGE;
        if (isHere || !waits) {
            sessionStorage.removeItem(STORE);
        }
    }

    const mainForm = () => document.querySelector("#content-main form[method=post][id$=_form], form.crm-action[method=post]");

    function saveByKey(event) {
        if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "s") {
            const form = mainForm();
            const button = document.querySelector("#submit-row [name=_save]") ?? form?.querySelector("button[type=submit]");
            if (form && button) {
                event.preventDefault();
                form.requestSubmit(button);
            }
        }
    }

    /* The script of the theme that opens tabs has run when the page is loaded. */
    function showFirstError() {
        const errors = [...document.querySelectorAll("#content .errors, #content .errorlist, #content .crm-wrong-field")];
        const group = errors.map((error) => error.closest(".field-line, .errors, td, fieldset > div") ?? error)
            .find((one) => one.querySelector("input:not([type=hidden]), select, textarea"));
        const field = group?.querySelector("input:not([type=hidden]), select, textarea");
        if (!field) {
            return;
        }
        const tab = field.closest(".tab-wrapper");
        if (tab && tab.offsetParent === null) {
            const tabs = [...tab.parentElement.querySelectorAll(":scope > .tab-wrapper")];
            tab.parentElement.querySelectorAll("nav > a")[tabs.indexOf(tab)]?.click();
        }
        requestAnimationFrame(() => {
            field.scrollIntoView({ block: "center" });
            const shown = field.offsetParent === null || field.classList.contains("select2-hidden-accessible")
                ? field.parentElement.querySelector(".select2-selection") ?? field : field;
            shown.focus({ preventScroll: true });
        });
    }

    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (form.method !== "post" || event.defaultPrevented || form.target) {
            return;
        }
        if (form === mainForm()) {
            keep(form);
        }
        form.setAttribute("aria-busy", "true");
    });
    window.addEventListener("pageshow", () => {
        for (const form of document.querySelectorAll("form[aria-busy]")) {
            form.removeAttribute("aria-busy");
        }
    });
    document.addEventListener("keydown", saveByKey);
    window.addEventListener("load", () => {
        restore();
        showFirstError();
    });
})();
