/* Makes tabs, filters and menus of the theme, which only react to the mouse, usable by keyboard. */
"use strict";

const ACTIVATING_KEYS = ["Enter", " "];

function isMouseOnly(element) {
    return !element.matches("a[href], button, input, select, textarea, [tabindex]")
        && !element.querySelector("a[href], button, input, select, textarea")
        && element.textContent.trim() !== "";
}

function makeFocusable(element) {
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("keydown", (event) => {
        if (ACTIVATING_KEYS.includes(event.key)) {
            event.preventDefault();
            element.click();
        }
    });
}

/* The names that this script gives, in the language of the page. */
const ownLabels = () => document.body.dataset.labels.split("|");

function label(selector, name) {
    for (const element of document.querySelectorAll(selector)) {
        element.setAttribute("aria-label", name);
    }
}

document.addEventListener("DOMContentLoaded", () => {
    const searchBar = document.getElementById("searchbar");
    searchBar?.setAttribute("aria-label", searchBar.placeholder);
    const [search, more, main, theme] = ownLabels();
    label("#searchbar-submit", search);
    label("[x-ref^='relatedWidgetWrapper']", more);
    label("#nav-sidebar-inner", main);
    label("a[x-on\\:click='openTheme = !openTheme']", theme);
    // The text of an icon is the name of its glyph, which a screen reader must not read.
    for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
        icon.setAttribute("aria-hidden", "true");
    }
    // On a narrow screen the column headers are labels in the cells.
    for (const cell of document.querySelectorAll("#result_list [data-label]")) {
        cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
    }
    for (const element of document.querySelectorAll("[x-on\\:click]")) {
        if (isMouseOnly(element)) {
            makeFocusable(element);
        }
    }
});

function labelSelects() {
    for (const list of document.querySelectorAll(".select2-selection__rendered")) {
        const field = document.getElementById(list.id.replace(/^select2-(.*)-container$/, "$1"));
        if (field?.labels.length) {
            list.setAttribute("aria-label", field.labels[0].textContent.replace("*", "").trim());
        }
    }
}

// jQuery creates the autocomplete lists in its ready handlers; ours must run after them. The theme's scroll areas all
// have the same label: that of the menu gets its own.
window.addEventListener("load", () => {
    window.django?.jQuery?.(labelSelects);
    label("#nav-sidebar-inner .simplebar-content-wrapper", ownLabels()[4]);
});

// The theme gives the palette the focus 20 ms after Ctrl+K, which fails if it is not shown by then.
function focusPalette(until) {
    const input = document.getElementById("search-input-command");
    if (!input || document.activeElement === input || performance.now() > until) return;
    if (input.checkVisibility()) {
        input.focus();
    }
    requestAnimationFrame(() => focusPalette(until));
}

document.addEventListener("keydown", (event) => {
    if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
        focusPalette(performance.now() + 1000);
    }
});

/* The parts of a page of a row: set before the page is drawn, so that nothing moves. Without scripts all are shown. */
function showTab() {
    document.documentElement.dataset.tab = location.hash === "#edit" ? "edit" : "overview";
    const isEdit = location.hash === "#edit" || document.body?.classList.contains("crm-has-errors");
    for (const link of document.querySelectorAll(".crm-page-tabs a")) {
        link.toggleAttribute("aria-current", (link.hash === "#edit") === isEdit);
    }
}

showTab();
window.addEventListener("hashchange", showTab);
document.addEventListener("DOMContentLoaded", showTab);

/* Lists with an input for each entry: a button adds an input, and one removes it. Without scripts one is always empty. */
function entryButton(icon, name, act) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "crm-entry-button";
    button.setAttribute("aria-label", name);
    button.title = name;
    button.innerHTML = `<span class="material-symbols-outlined" aria-hidden="true">${icon}</span>`;
    button.addEventListener("click", act);
    return button;
}

function setUpEntries(box) {
    const empty = box.lastElementChild;
    const removeFrom = (row) => {
        row.append(entryButton("close", box.dataset.remove, () => {
            row.querySelector("input").value = "";
            row.hidden = true;
            box.querySelector(".crm-entry-add").focus();
        }));
    };
    box.append(entryButton("add", box.dataset.add, () => {
        const row = empty.cloneNode(true);
        const input = row.querySelector("input");
        input.value = "";
        input.id = `${input.id}_${box.children.length}`;
        row.hidden = false;
        row.querySelector("button")?.remove();
        removeFrom(row);
        box.lastElementChild.before(row);
        input.focus();
    }));
    box.lastElementChild.classList.add("crm-entry-add");
    for (const row of box.querySelectorAll(".crm-entry")) {
        removeFrom(row);
    }
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".crm-entries").forEach(setUpEntries));
