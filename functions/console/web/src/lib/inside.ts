/** inside is a path of this hub to go to after the sign-in; anything that could lead elsewhere becomes "/". */
export function inside(path: string | undefined): string {
  if (!path?.startsWith("/") || path.startsWith("//") || path.includes("\\")) return "/";
  for (const c of path) {
    if (c <= " " || c === "\u007f") return "/"; // browsers drop some of these, which changes what the rest means
  }
  return path;
}
