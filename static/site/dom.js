"use strict";
// What HTML, CSS and htmx cannot do. All of it is comfort: without this script every page still works.
// The modules are served as one script in the order that hero_admin/web/assets.py gives, and share its scope.
//
// Shorthands that every module uses. Listeners sit on the document, so that they also serve what htmx swaps in.

const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const on = (type, selector, act, isCapturing = false) =>
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) act(element, event);
  }, isCapturing);
