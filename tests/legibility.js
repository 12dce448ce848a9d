// What on an open page cannot be read: cut code and tables, labels that overlap, lone captions.
(wide) => {
  const faults = [];
  const shown = one => one.getClientRects().length > 0;
  const words = one => one.textContent.trim().slice(0, 60);
  // A label's corners on the screen, also where it is turned. A line's box is taller than its
  // letters, so it is taken in by a fifth at the top and at the bottom.
  const corners = one => {
    const box = one.getBBox(), matrix = one.getScreenCTM(), low = 0.2 * box.height;
    return [[box.x, box.y + low], [box.x + box.width, box.y + low],
            [box.x + box.width, box.y + box.height - low], [box.x, box.y + box.height - low]]
      .map(([x, y]) => [matrix.a * x + matrix.c * y + matrix.e, matrix.b * x + matrix.d * y + matrix.f]);
  };
  // Two convex shapes overlap unless some side of either separates them.
  const overlap = (a, b) => [a, b].every(shape => shape.every(([x, y], index) => {
    const [to_x, to_y] = shape[(index + 1) % shape.length];
    const along = ([px, py]) => (py - y) * (to_x - x) - (px - x) * (to_y - y);
    const [ours, theirs] = [a, b].map(one => one.map(along));
    const length = Math.hypot(to_x - x, to_y - y) || 1;
    return Math.min(Math.max(...ours) - Math.min(...theirs), Math.max(...theirs) - Math.min(...ours)) > length;
  }));
  if (wide) {
    for (const one of document.querySelectorAll(".highlight pre"))
      if (shown(one) && one.scrollWidth > one.clientWidth + 1) faults.push(`cut code: ${words(one)}`);
    for (const one of document.querySelectorAll(".table-scroll, .cell_output > .output, .pst-scrollable-table-container"))
      if (shown(one) && one.scrollWidth > one.clientWidth + 1) faults.push(`cut table: ${words(one)}`);
  }
  for (const chart of document.querySelectorAll("figure.chart svg")) {
    if (!shown(chart)) continue;
    const frame = chart.getBoundingClientRect();
    const labels = [...chart.querySelectorAll("text")].filter(one => one.textContent.trim());
    const boxes = labels.map(one => [one, corners(one)]);
    for (const [one, box] of boxes)
      if (box.some(([x, y]) => x < frame.left - 2 || x > frame.right + 2 || y < frame.top - 2 || y > frame.bottom + 2))
        faults.push(`label outside its figure: ${words(one)}`);
    boxes.forEach(([one, a], index) => {
      for (const [other, b] of boxes.slice(index + 1))
        if (overlap(a, b)) faults.push(`labels overlap: ${words(one)} | ${words(other)}`);
    });
  }
  for (const one of document.querySelectorAll("figcaption"))
    if (!one.closest("figure")?.querySelector("svg, img, table")) faults.push(`a caption alone: ${words(one)}`);
  for (const one of document.querySelectorAll("figure.chart"))
    if (!one.querySelector("figcaption")?.textContent.trim()) faults.push(`a figure without a caption`);
  return faults;
}
