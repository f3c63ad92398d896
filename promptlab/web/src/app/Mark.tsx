/** Gatelog's mark: a gate, and what goes through it. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#3c53d2" />
      <path d="M8 23V13a8 8 0 0 1 16 0v10M13 23v-9M19 23v-5" fill="none" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
    </svg>
  );
}
