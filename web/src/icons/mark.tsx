/** The product's sign: two who talk. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className="mark-ground" />
      <path
        className="mark-one"
        d="M7 8.500h11a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2h-6l-3.500 3v-3H7a2 2 0 0 1-2-2v-5a2 2 0 0 1 2-2Z"
      />
      <path
        className="mark-other"
        d="M22.500 13.500H25a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2h-1.500v3l-3.500-3h-5a2 2 0 0 1-1.900-1.500h5.400a4 4 0 0 0 4-4Z"
      />
    </svg>
  );
}
