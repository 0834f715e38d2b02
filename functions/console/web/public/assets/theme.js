// Before the first paint, so that a chosen theme does not flash. Below a Blocklet Server, where nothing was chosen here, the app's
// theme is taken over (src/lib/theme.ts does the same afterwards).
(function () {
  var root = document.documentElement;
  var known = function (theme) {
    return theme === "light" || theme === "dark" ? theme : "";
  };
  var theme;
  try {
    theme = known(localStorage.getItem("aigne-hub.theme"));
    if (!theme && root.dataset.host) {
      var app = localStorage.getItem("aigne-hub.host-theme");
      theme =
        known(sessionStorage.getItem("blocklet_theme_prefer")) ||
        known(app) ||
        (app === "system" ? known(localStorage.getItem("blocklet_theme_prefer")) : "");
    }
  } catch (_) {}
  if (theme) root.dataset.theme = theme;
})();
