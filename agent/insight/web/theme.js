// SPDX-License-Identifier: Apache-2.0
// Runs before anything is painted, so that a chosen theme does not flash.
const chosenTheme = localStorage.getItem("theme");
if (chosenTheme)
	document.documentElement.dataset.theme = chosenTheme;
