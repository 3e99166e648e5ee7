// Below a chart: the value under the pointer or the finger. Browsers show the titles of a drawing late, and on a phone never.

for (const chart of document.querySelectorAll("[data-reading]")) {
  const reading = chart.querySelector(".reading");
  const show = ({ clientX, clientY }) => {
    const title = document.elementFromPoint(clientX, clientY)?.closest("rect, circle")?.querySelector("title");
    if (title && chart.contains(title)) reading.textContent = title.textContent;
  };
  reading.hidden = false;
  for (const type of ["pointerdown", "pointermove"]) chart.addEventListener(type, show);
}

// The newest days of a wide heat map are at its end.
for (const map of document.querySelectorAll(".heat-map")) map.scrollLeft = map.scrollWidth;
