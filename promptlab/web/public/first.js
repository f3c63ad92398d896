// Runs before anything is painted, so that a dark page does not flash white; and it lets text alone become markup.
(function () {
  var kept = null;
  try {
    kept = localStorage.getItem("mantine-color-scheme-value");
  } catch (_) {}
  var dark = kept === "dark" || (kept !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  window.__webpack_nonce__ = document.currentScript.nonce; // the libraries that put a <style> into the page ask for it here
  // The page's policy requires Trusted Types. Style sheets are set by innerHTML; they need no tag, and nothing else does.
  if (window.trustedTypes && trustedTypes.createPolicy)
    trustedTypes.createPolicy("default", {
      createHTML: function (text) {
        if (text.indexOf("<") >= 0) throw new TypeError("markup from text is not allowed on this page");
        return text;
      },
    });
})();
