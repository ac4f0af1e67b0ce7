// Reads a chart's values under the pointer, or with the arrow keys. Without it the page shows everything else.
"use strict";
for (const plot of document.querySelectorAll(".readable")) {
  const data = JSON.parse(plot.querySelector("script").textContent);
  if (!data.x.length) continue;
  const cursor = plot.appendChild(document.createElement("div"));
  const tip = plot.appendChild(document.createElement("div"));
  cursor.className = "cursor";
  tip.className = "tip";
  tip.setAttribute("role", "status");
  cursor.hidden = tip.hidden = true;
  let at = -1;

  const show = (n) => {
    at = Math.max(0, Math.min(data.x.length - 1, n));
    const x = data.x[at];
    cursor.style.left = `${100 * x}%`;
    tip.replaceChildren();
    tip.appendChild(document.createElement("b")).textContent = data.labels[at];
    for (const series of data.series) {
      const row = tip.appendChild(document.createElement("div"));
      row.className = series.color;
      const name = row.appendChild(document.createElement("span"));
      name.appendChild(document.createElement("i"));
      name.append(series.name);
      row.appendChild(document.createElement("span")).textContent = series.values[at];
    }
    cursor.hidden = tip.hidden = false;
    const room = plot.clientWidth - tip.offsetWidth;
    const left = x * plot.clientWidth;
    tip.style.left = `${Math.max(0, Math.min(room, left > room - 14 ? left - tip.offsetWidth - 12 : left + 12))}px`;
  };
  const hide = () => { cursor.hidden = tip.hidden = true; };
  const nearest = (x) => {
    let low = 0, high = data.x.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (data.x[middle] < x) low = middle + 1; else high = middle;
    }
    return low > 0 && x - data.x[low - 1] < data.x[low] - x ? low - 1 : low;
  };

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    show(nearest((event.clientX - box.left) / box.width));
  });
  plot.addEventListener("pointerdown", (event) => {
    const box = plot.getBoundingClientRect();
    show(nearest((event.clientX - box.left) / box.width));
  });
  plot.addEventListener("pointerleave", hide);
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (step) show(at < 0 ? (step > 0 ? 0 : data.x.length - 1) : at + step);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(data.x.length - 1);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
  });
}
