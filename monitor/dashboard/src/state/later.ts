import { useEffect, useState } from "react";

/** A value once it has stood still, so that a question is asked for a word and not for each letter. */
export function useLater<T>(value: T, ms = 250): T {
  const [later, setLater] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setLater(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return later;
}
