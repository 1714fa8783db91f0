// How much a value holds, without walking all of a large one.

/** Say whether a value of JSON has more than so many characters, about. */
export function weighs(value, limit) {
  let left = limit;
  const stack = [value];
  while (stack.length) {
    const item = stack.pop();
    if (typeof item === "string") left -= item.length;
    else if (item !== null && typeof item === "object") {
      for (const name in item) {
        left -= name.length + 4;
        if (left < 0) return true;
        stack.push(item[name]);
      }
    } else left -= 4;
    if (left < 0) return true;
  }
  return false;
}
