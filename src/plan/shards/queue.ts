/** A priority queue, in O(log n). */
export function queueOf<T>(before: (a: T, b: T) => boolean) {
  const heap: T[] = [];
  const swapIfBefore = (low: number, high: number): boolean => {
    const [a, b] = [heap[low] as T, heap[high] as T];
    if (!before(b, a)) return false;
    heap[low] = b;
    heap[high] = a;
    return true;
  };
  return {
    push(item: T): void {
      let at = heap.push(item) - 1;
      while (at > 0 && swapIfBefore((at - 1) >> 1, at)) at = (at - 1) >> 1;
    },
    pop(): T | undefined {
      const first = heap[0];
      const last = heap.pop();
      if (heap.length === 0 || last === undefined) return first;
      heap[0] = last;
      for (let at = 0; ;) {
        let child = 2 * at + 1;
        if (child + 1 < heap.length && before(heap[child + 1] as T, heap[child] as T)) child += 1;
        if (child >= heap.length || !swapIfBefore(at, child)) return first;
        at = child;
      }
    },
  };
}
