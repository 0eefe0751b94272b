/** A calibrated score in [0, 1] in the words of a person. */

export interface Confidence {
  level: 'strong' | 'good' | 'weak';
  words: string;
}

export function confidence(score: number): Confidence {
  if (score >= 0.75) return { level: 'strong', words: 'Strong match' };
  if (score >= 0.4) return { level: 'good', words: 'Good match' };
  return { level: 'weak', words: 'Weak match' };
}

export function isWeak({ score }: { score: number }): boolean {
  return confidence(score).level === 'weak';
}

/** A reason without the strength that a tile already says for the whole asset. */
export function withoutStrength(reason: string): string {
  return reason.replace(/ \((strong|good|weak) match\)$/, '');
}

/** 0.812 → "81 %". */
export function percent(score: number): string {
  return `${Math.round(score * 100)} %`;
}
