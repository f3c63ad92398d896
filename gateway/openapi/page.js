"use strict";
// The page is whole without this: here are the search, the copying, and the theme that was chosen on the page at "/".
(function () {
  let kept = null;
  try {
    kept = localStorage.getItem("mantine-color-scheme-value");
  } catch (_) {}
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;

  const find = document.querySelector(".find");
  const articles = [...document.querySelectorAll("article")].map((article) => ({
    article,
    words: article.dataset.words,
    link: document.querySelector('nav a[href="#' + article.id + '"]').parentElement,
  }));
  const areas = [...document.querySelectorAll("main section")];
  const lists = [...document.querySelectorAll("nav .area")];
  const none = document.querySelector(".none");

  function search() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const each of articles) {
      const fits = words.every((word) => each.words.includes(word));
      each.article.hidden = each.link.hidden = !fits;
      if (fits) shown++;
    }
    for (const area of areas) area.hidden = !area.querySelector("article:not([hidden])");
    for (const list of lists) {
      list.hidden = !list.querySelector("li:not([hidden])");
      if (list.tagName === "DETAILS") list.open = words.length > 0 && !list.hidden;
    }
    none.hidden = shown > 0;
    const place = new URL(location.href);
    if (find.value) place.searchParams.set("q", find.value);
    else place.searchParams.delete("q");
    history.replaceState(null, "", place);
  }

  function open() {
    const article = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!article) return;
    const details = article.querySelector("details");
    if (details) details.open = true;
    for (const link of document.querySelectorAll("nav a.here")) link.classList.remove("here");
    const link = document.querySelector('nav a[href="#' + article.id + '"]');
    if (link) {
      link.classList.add("here");
      const list = link.closest("details");
      if (list) list.open = true;
    }
    article.scrollIntoView();
  }

  find.value = new URL(location.href).searchParams.get("q") || "";
  if (find.value) search();
  find.addEventListener("input", search);
  addEventListener("hashchange", open);
  open();
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (event.key === "Escape" && typing) {
      find.value = "";
      search();
      find.blur();
    }
  });
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element && event.target.closest("button[data-copy]");
    if (!button) return;
    const text = button.closest(".curl").querySelector("pre").textContent.replaceAll("$GATELOG", location.origin);
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch (_) {
      button.textContent = "Not allowed";
    }
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
})();
