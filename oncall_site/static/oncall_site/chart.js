// Shows the value under the pointer or finger below a chart. Browsers show SVG titles late, and on phones never.

for (const chart of document.querySelectorAll("[data-reading]")) {
  const reading = chart.querySelector(".reading");
  const show = ({ clientX, clientY }) => {
    const title = document.elementFromPoint(clientX, clientY)?.closest("rect, circle")?.querySelector("title");
    if (title && chart.contains(title)) reading.textContent = title.textContent;
  };
  reading.hidden = false;
  for (const type of ["pointerdown", "pointermove"]) chart.addEventListener(type, show);
}

// Scrolls a wide heat map to its newest days.
for (const map of document.querySelectorAll(".heat-map")) map.scrollLeft = map.scrollWidth;
