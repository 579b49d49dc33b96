/** Two speech bubbles. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="logo-background" />
      <path
        className="logo-back"
        d="M14 13h9a3 3 0 0 1 3 3v4a3 3 0 0 1-3 3v3l-3.500-3H14a3 3 0 0 1-3-3v-4a3 3 0 0 1 3-3Z"
      />
      <path
        className="logo-front"
        d="M9 6h9a3 3 0 0 1 3 3v4a3 3 0 0 1-3 3h-5.500L9 19v-3a3 3 0 0 1-3-3V9a3 3 0 0 1 3-3Z"
      />
    </svg>
  );
}
