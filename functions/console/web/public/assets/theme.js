// Before the first paint, so that a chosen theme does not flash.
(function () {
  var theme;
  try {
    theme = localStorage.getItem("aigne-hub.theme");
  } catch (_) {}
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
