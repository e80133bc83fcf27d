// @ts-check
/** Crops for grids: many in one picture, which the server makes of just these faces, so that it never changes. */

const SIZE = 50; // as many as the server puts into one
const COLUMNS = 10;
const LEAST = 12; // fewer are fetched singly: other pages show them too

/** @typedef {{ face: number }} Shown */

/** @type {Map<string, Promise<void>>} sheets that came, or are on their way */
const known = new Map();

/** @param {string} url @returns {Promise<void>} */
function load(url) {
  let coming = known.get(url);
  if (!coming) {
    coming = new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve();
      image.onerror = () => reject(new Error(url));
      image.src = url;
    });
    known.set(url, coming);
  }
  return coming;
}

/** @param {readonly Shown[]} rows @param {number} place @param {boolean} complete whether no more rows will come */
function sheetOf(rows, place, complete) {
  const start = place - (place % SIZE);
  const some = rows.slice(start, start + SIZE);
  if (some.length < LEAST || (some.length < SIZE && !complete)) return null;
  return { url: `/crops/sheet.jpg?faces=${some.map((one) => one.face).join(",")}`, at: place - start, count: some.length };
}

/** @param {number} face */
function single(face) {
  const image = new Image(112, 112);
  image.alt = "";
  image.decoding = "async";
  image.src = `/crops/${face}.png`;
  return image;
}

/**
 * The crop of the row in this place; singly where its sheet can't be had.
 * @param {readonly Shown[]} rows @param {number} place @param {boolean} complete @returns {HTMLElement}
 */
export function picture(rows, place, complete) {
  const { face } = /** @type {Shown} */ (rows[place]);
  const sheet = sheetOf(rows, place, complete);
  if (!sheet) return single(face);
  const lines = Math.ceil(sheet.count / COLUMNS);
  const [column, line] = [sheet.at % COLUMNS, Math.floor(sheet.at / COLUMNS)];
  const cell = document.createElement("span");
  cell.className = "cell";
  cell.style.backgroundSize = `${COLUMNS * 100}% ${lines * 100}%`;
  cell.style.backgroundPosition = `${(column / (COLUMNS - 1)) * 100}% ${lines > 1 ? (line / (lines - 1)) * 100 : 0}%`;
  load(sheet.url).then(
    () => (cell.style.backgroundImage = `url("${sheet.url}")`),
    () => cell.replaceWith(single(face)),
  );
  return cell;
}

/** Have the first pictures of a grid here before it is shown. @param {readonly Shown[]} rows @param {boolean} complete */
export function prefetch(rows, complete) {
  for (let place = 0; place < Math.min(rows.length, SIZE); place++) {
    const sheet = sheetOf(rows, place, complete);
    if (sheet) return void load(sheet.url).catch(() => {});
    new Image().src = `/crops/${rows[place]?.face}.png`;
  }
}
