/* What the theme made for the mouse alone, for the keyboard too: its tabs, its filters, its menus. */
"use strict";

const PRESSED = ["Enter", " "];

function madeForTheMouse(element) {
    return !element.matches("a[href], button, input, select, textarea, [tabindex]")
        && !element.querySelector("a[href], button, input, select, textarea")
        && element.textContent.trim() !== "";
}

function reachable(element) {
    element.tabIndex = 0;
    element.setAttribute("role", "button");
    element.addEventListener("keydown", (event) => {
        if (PRESSED.includes(event.key)) {
            event.preventDefault();
            element.click();
        }
    });
}

function named(selector, name) {
    for (const element of document.querySelectorAll(selector)) {
        element.setAttribute("aria-label", name);
    }
}

document.addEventListener("DOMContentLoaded", () => {
    const search = document.getElementById("searchbar");
    search?.setAttribute("aria-label", search.placeholder);
    named("#searchbar-submit", "Search");
    named("[x-ref^='relatedWidgetWrapper']", "More");
    // An icon is drawn by its name, which is nothing to hear.
    for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
        icon.setAttribute("aria-hidden", "true");
    }
    // On a narrow screen the heads of the columns stand in the cells.
    for (const cell of document.querySelectorAll("#result_list [data-label]")) {
        cell.dataset.label = cell.dataset.label.charAt(0).toUpperCase() + cell.dataset.label.slice(1);
    }
    for (const element of document.querySelectorAll("[x-on\\:click]")) {
        if (madeForTheMouse(element)) {
            reachable(element);
        }
    }
});

function namedByTheirFields() {
    for (const list of document.querySelectorAll(".select2-selection__rendered")) {
        const field = document.getElementById(list.id.replace(/^select2-(.*)-container$/, "$1"));
        if (field?.labels.length) {
            list.setAttribute("aria-label", field.labels[0].textContent.replace("*", "").trim());
        }
    }
}

// Lists that one can search in are made by jQuery when the page is ready, so jQuery knows when they are there.
window.addEventListener("load", () => window.django?.jQuery?.(namedByTheirFields));
